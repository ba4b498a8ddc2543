package org.sparkqlora.run.monitor;

import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.function.LongSupplier;
import org.sparkqlora.options.Console;
import org.sparkqlora.spark.watch.RunRecord;
import org.sparkqlora.spark.watch.RunView;
import org.sparkqlora.train.metrics.ProgressReporter;
import org.sparkqlora.train.metrics.StepMetrics;
import org.sparkqlora.train.metrics.Straggler;

/** Tells a person how far training is: on two lines that are written again on a terminal, on a line now and then in a log. */
final class TrainProgress implements ProgressReporter {
    private static final Duration BETWEEN_LOG_LINES = Duration.ofSeconds(5);

    /** The two lines of before are wiped, and the cursor is where they began. */
    private static final String WIPE = "\r\u001b[1A\u001b[J";

    private final Console console;
    private final LongSupplier nanoTime;
    private final RunRecord record;
    private long last;
    private boolean drawn;

    /** @param record is told of everything first */
    TrainProgress(Console console, LongSupplier nanoTime, RunRecord record) {
        this.console = console;
        this.nanoTime = nanoTime;
        this.record = record;
    }

    @Override
    public void started(long doneSteps, long allSteps) {
        if (doneSteps > 0) {
            console.note("resumed after step %d of %d", doneSteps, allSteps);
        }
    }

    @Override
    public void stepDone(StepMetrics step) {
        RunView run = record.view().orElseThrow();
        switch (console.kind()) {
            case TERMINAL -> draw(run);
            case LOG -> log(step, run);
        }
    }

    @Override
    public void leftOut(long step, double lossScale) {
        note(String.format(
                Locale.ROOT,
                "step %d  left out: its gradient overflowed at a loss scale of %.0f; the next takes half",
                step,
                lossScale));
    }

    @Override
    public void straggling(Straggler straggler) {
        note(String.format(
                Locale.ROOT,
                "%s takes %.1f times as long for a token as the others, and every step waits for it",
                straggler.worker(),
                straggler.factor()));
    }

    @Override
    public void evaluated(long step, double loss) {
        note(String.format(Locale.ROOT, "step %d  held-out loss %.4f", step, loss));
    }

    @Override
    public void checkpointed(long step) {
        note(String.format(Locale.ROOT, "step %d  checkpoint written", step));
    }

    @Override
    public void stateLost(long step, String reason) {
        note(String.format(
                Locale.ROOT,
                "the State is out of reach (%s); goes on from the newest good checkpoint, of step %d at most",
                reason,
                step));
    }

    /** A line that stays, also from other threads. */
    synchronized void note(String line) {
        if (drawn) {
            console.part(WIPE);
            drawn = false;
        }

        console.note("%s", line);
    }

    /** No step follows; what is drawn stays. */
    synchronized void ended() {
        if (drawn) {
            console.part(System.lineSeparator());
            drawn = false;
        }
    }

    private synchronized void draw(RunView run) {
        List<String> lines = new LiveView(console.width()).lines(run);
        boolean isLast = run.step() == run.steps();
        console.part((drawn ? WIPE : "")
                + String.join(System.lineSeparator(), lines)
                + (isLast ? System.lineSeparator() : ""));
        drawn = !isLast;
    }

    private void log(StepMetrics step, RunView run) {
        long now = nanoTime.getAsLong();
        boolean isLast = step.step() == run.steps();
        if (isLast || last == 0 || now - last >= BETWEEN_LOG_LINES.toNanos()) {
            console.note(
                    "step %d/%d  loss %.4f  %.0f tokens/s  %s left",
                    step.step(), run.steps(), step.loss(), step.tokensPerSecond(), LiveView.left(run.secondsLeft()));
            last = now;
        }
    }
}
