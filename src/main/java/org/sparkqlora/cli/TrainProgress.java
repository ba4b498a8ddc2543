package org.sparkqlora.cli;

import java.time.Duration;
import java.util.function.LongSupplier;
import org.sparkqlora.train.ProgressReporter;
import org.sparkqlora.train.StepMetrics;
import org.sparkqlora.train.Straggler;

/** Tells a person how far training is: on one line that is written again on a terminal, on a line now and then in a log. */
final class TrainProgress implements ProgressReporter {
    private static final Duration BETWEEN_LOG_LINES = Duration.ofSeconds(5);
    private static final String REWRITE = "\r\u001b[K";

    /** Weight of the newest step in the running rate, so that the first step, which loads the model, is soon forgotten. */
    private static final double NEWEST = 0.3;

    private final Console console;
    private final LongSupplier nanoTime;
    private long steps;
    private long last;
    private boolean written;
    private double secondsAStep;

    TrainProgress(Console console, LongSupplier nanoTime) {
        this.console = console;
        this.nanoTime = nanoTime;
    }

    @Override
    public void started(long doneSteps, long allSteps) {
        steps = allSteps;
        if (doneSteps > 0) {
            console.note("resumed after step %d of %d", doneSteps, allSteps);
        }
    }

    @Override
    public void stepDone(StepMetrics step) {
        secondsAStep = secondsAStep == 0 ? step.seconds() : secondsAStep + NEWEST * (step.seconds() - secondsAStep);
        String line = "step %d/%d  loss %.4f  %.0f tokens/s  %s left"
                .formatted(step.step(), steps, step.loss(), step.tokensPerSecond(), left(step));
        switch (console.kind()) {
            case TERMINAL -> rewrite(line, step.step() == steps);
            case LOG -> log(line, step.step() == steps);
        }
    }

    @Override
    public void straggling(Straggler straggler) {
        note("%s takes %.1f times as long for a token as the others, and every step waits for it"
                .formatted(straggler.worker(), straggler.factor()));
    }

    @Override
    public void evaluated(long step, double loss) {
        note("step %d  held-out loss %.4f".formatted(step, loss));
    }

    @Override
    public void checkpointed(long step) {
        note("step %d  checkpoint written".formatted(step));
    }

    private void rewrite(String line, boolean isLast) {
        console.err().print(REWRITE + line + (isLast ? System.lineSeparator() : ""));
        console.err().flush();
        written = !isLast;
    }

    private void log(String line, boolean isLast) {
        long now = nanoTime.getAsLong();
        if (isLast || last == 0 || now - last >= BETWEEN_LOG_LINES.toNanos()) {
            console.note("%s", line);
            last = now;
        }
    }

    private void note(String line) {
        console.note("%s%s", written ? REWRITE : "", line);
        written = false;
    }

    private String left(StepMetrics step) {
        long seconds = Math.round((steps - step.step()) * secondsAStep);
        return seconds < 3600
                ? "%d:%02d".formatted(seconds / 60, seconds % 60)
                : "%d:%02d:%02d".formatted(seconds / 3600, seconds / 60 % 60, seconds % 60);
    }
}
