package org.sparkqlora.spark.watch;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.UUID;
import java.util.function.Consumer;
import java.util.function.LongFunction;
import java.util.function.LongSupplier;
import java.util.stream.IntStream;
import org.sparkqlora.train.metrics.MetricsJson;
import org.sparkqlora.train.metrics.ProgressReporter;
import org.sparkqlora.train.metrics.ShardReport;
import org.sparkqlora.train.metrics.StepMetrics;
import org.sparkqlora.train.metrics.Straggler;

/** Turns the progress of a run into events. Faults may be reported by other threads. */
public final class RunWatch implements ProgressReporter {
    private static final long MEMORY_EVERY_MILLIS = 1000;

    private final String run = UUID.randomUUID().toString();
    private final RunFacts facts;
    private final LongFunction<List<String>> earlierLines;
    private final Consumer<RunEvent> sink;
    private final LongSupplier clock;
    private final Map<String, Long> memoryTold = new HashMap<>();
    private volatile long step;

    /**
     * @param earlierLines of {@code metrics.jsonl}, as far as a step
     * @param sink takes events from any thread, and soon
     * @param clock milliseconds since 1970
     */
    public RunWatch(
            RunFacts facts, LongFunction<List<String>> earlierLines, Consumer<RunEvent> sink, LongSupplier clock) {
        this.facts = facts;
        this.earlierLines = earlierLines;
        this.sink = sink;
        this.clock = clock;
    }

    @Override
    public void started(long doneSteps, long allSteps) {
        step = doneSteps;
        List<String> lines = doneSteps == 0 ? List.of() : earlierLines.apply(doneSteps);
        sink.accept(new RunStarted(
                run,
                clock.getAsLong(),
                facts.name(),
                doneSteps,
                allSteps,
                earlier(lines),
                earlierHeldOut(lines),
                facts.parameters(),
                facts.plannedBytes()));
    }

    @Override
    public void computed(List<ShardReport> tasks) {
        long now = clock.getAsLong();
        memoryTold.values().removeIf(told -> now - told > MemorySeen.LASTING_MILLIS);
        for (ShardReport task : tasks) {
            Long told = memoryTold.get(task.worker());
            if (task.memory().residentBytes() > 0 && (told == null || now - told >= MEMORY_EVERY_MILLIS)) {
                memoryTold.put(task.worker(), now);
                sink.accept(new MemorySeen(
                        run,
                        now,
                        task.worker(),
                        task.memory().residentBytes(),
                        task.memory().peakBytes()));
            }
        }
    }

    @Override
    public void stepDone(StepMetrics taken) {
        step = taken.step();
        sink.accept(StepTaken.of(run, clock.getAsLong(), taken));
    }

    @Override
    public void straggling(Straggler straggler) {
        fault(String.format(
                Locale.ROOT,
                "%s takes %.1f times as long for a token as the others",
                straggler.worker(),
                straggler.factor()));
    }

    @Override
    public void evaluated(long after, double loss) {
        sink.accept(new HeldOutMeasured(run, clock.getAsLong(), after, loss));
    }

    @Override
    public void checkpointed(long after) {
        sink.accept(new CheckpointWritten(run, clock.getAsLong(), after));
    }

    @Override
    public void stateLost(long goesOnFrom, String reason) {
        fault(String.format(
                Locale.ROOT,
                "the State is out of reach (%s); goes on from the newest good checkpoint, of step %d at most",
                reason,
                goesOnFrom));
        step = goesOnFrom;
    }

    /** A sample of the earlier steps, dense enough for the curves. */
    private List<StepTaken> earlier(List<String> lines) {
        int stride = lines.size() / Curve.LONGEST + 1;
        return IntStream.range(0, lines.size())
                .filter(i -> i % stride == 0)
                .mapToObj(i -> StepTaken.of(run, clock.getAsLong(), MetricsJson.read(lines.get(i))))
                .toList();
    }

    private List<HeldOutMeasured> earlierHeldOut(List<String> lines) {
        List<HeldOutMeasured> measured = new ArrayList<>();
        for (String line : lines) {
            long after = MetricsJson.readStep(line).orElse(0);
            MetricsJson.readEvaluation(line)
                    .ifPresent(loss -> measured.add(new HeldOutMeasured(run, clock.getAsLong(), after, loss)));
        }

        return measured;
    }

    /** Reports a fault that the run survives. */
    public void fault(String text) {
        sink.accept(new FaultSeen(run, clock.getAsLong(), step, text));
    }

    /** The last step is done and the result is published. */
    public void ended() {
        sink.accept(new RunEnded(run, clock.getAsLong(), null));
    }

    /** The run ended before. */
    public void failed(Throwable failure) {
        sink.accept(new RunEnded(run, clock.getAsLong(), String.valueOf(failure.getMessage())));
    }
}
