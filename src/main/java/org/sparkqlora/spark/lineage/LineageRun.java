package org.sparkqlora.spark.lineage;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.time.Clock;
import java.util.List;
import java.util.UUID;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.sparkqlora.spark.cluster.CancelledJob;

/** A run that is told to OpenLineage: where it starts, and once how it ends. Each attempt is a run of its own. */
public final class LineageRun {
    private final LineageSink sink;
    private final LineageFacts facts;
    private final Clock clock;
    private final UUID id;
    private final Consumer<String> tell;

    private LineageRun(LineageSink sink, LineageFacts facts, Clock clock, UUID id, Consumer<String> tell) {
        this.sink = sink;
        this.facts = facts;
        this.clock = clock;
        this.id = id;
        this.tell = tell;
    }

    /**
     * Starts it. An event that cannot be sent is told before any work, as a wrong address would never be noticed later.
     *
     * @param outputs that it will write
     * @param tell takes a line for people
     */
    public static LineageRun start(
            LineageSink sink, LineageFacts facts, List<LineageDataset> outputs, Clock clock, Consumer<String> tell) {
        LineageRun run = new LineageRun(sink, facts, clock, UUID.randomUUID(), tell);
        try {
            run.send(LineageEvent.Type.START, outputs, null);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }

        tell.accept(
                "lineage: run %s of job %s in %s".formatted(run.id, facts.job().name(), sink));
        return run;
    }

    /**
     * Does the work of the run, and sends how it ended. That work is never lost to an event that cannot be sent, which is told.
     *
     * @param outputs that the work has written
     */
    public <T> T follow(Supplier<T> work, Function<T, List<LineageDataset>> outputs) {
        T result;
        try {
            result = work.get();
        } catch (Exception | Error e) { // Spark throws a lost job as a checked exception that no signature declares
            boolean isStopped = CancelledJob.find(e).isPresent();
            end(isStopped ? LineageEvent.Type.ABORT : LineageEvent.Type.FAIL, List::of, isStopped ? null : e);
            throw e;
        }

        end(LineageEvent.Type.COMPLETE, () -> outputs.apply(result), null);
        return result;
    }

    private void end(LineageEvent.Type type, Supplier<List<LineageDataset>> outputs, @Nullable Throwable failure) {
        try {
            send(type, outputs.get(), failure);
        } catch (IOException | RuntimeException e) { // whatever it is, the run ends as it did
            tell.accept("%s. Lineage has no %s of this run".formatted(e.getMessage(), type));
        }
    }

    private void send(LineageEvent.Type type, List<LineageDataset> outputs, @Nullable Throwable failure)
            throws IOException {
        sink.send(LineageJson.write(new LineageEvent(type, clock.instant(), id, facts, outputs, failure)));
    }
}
