package org.sparkqlora.spark.replica;

import java.io.DataOutput;
import java.io.IOException;
import java.io.Serializable;
import java.util.Collections;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.CancellationException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.apache.hadoop.conf.Configuration;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.api.java.function.FlatMapFunction;
import org.apache.spark.util.CollectionAccumulator;
import org.jspecify.annotations.Nullable;
import org.sparkqlora.checkpoint.CheckpointDraft;
import org.sparkqlora.spark.blocks.ExecutorBlocks;
import org.sparkqlora.spark.blocks.ExecutorPlace;
import org.sparkqlora.spark.blocks.PlacedTasks;
import org.sparkqlora.spark.replica.StateBlocks.Piece;
import org.sparkqlora.spark.replica.StateBlocks.Written;
import org.sparkqlora.spark.replica.StateFiles.StateFile;
import org.sparkqlora.storage.StoredFile;
import org.sparkqlora.train.Replica.StaleVersionException;
import org.sparkqlora.train.SavedState.StateParts;
import org.sparkqlora.train.StateLog;
import org.sparkqlora.train.UnreachableStateException;

/**
 * Asks the tasks of a step to leave the State that they compute at as blocks: each of the first shards copies a part of it, on a thread of
 * its own, while it computes. The step does not wait for a job of its own, as it does in {@link StateBlocks#take}. The thread then writes
 * its blocks, which no update changes, as a part of a checkpoint, and no task waits for that: it tells of the files that are done by its
 * end, as tasks of later steps do.
 *
 * @param version of the State
 * @param blocks among which the pieces will be
 * @param pieces the State's, in their order, if executors hold it as blocks; null where each has a State of its own
 * @param writers how many shards write
 * @param draft of the checkpoint; null where there are to be blocks alone
 * @param left what they left, known to the driver when their tasks have ended; twice where a task ran again
 * @param files what they wrote, the same way
 */
public record StateRequest(
        long version,
        ExecutorBlocks blocks,
        @Nullable List<ExecutorBlocks.Handle> pieces,
        int writers,
        @Nullable CheckpointDraft draft,
        CollectionAccumulator<Written> left,
        CollectionAccumulator<StateFile> files)
        implements Serializable {
    private static final long serialVersionUID = 2L;

    /** Driver only. */
    static StateRequest open(JavaSparkContext context, long version, int shards, @Nullable CheckpointDraft draft) {
        return open(context, version, ExecutorBlocks.open(context), null, shards, draft);
    }

    /** Driver only: asks for files alone of {@code state}. */
    static StateRequest of(JavaSparkContext context, StateBlocks state, int shards, CheckpointDraft draft) {
        return open(context, state.version(), state.blocks(), state.pieces(), shards, draft);
    }

    private static StateRequest open(
            JavaSparkContext context,
            long version,
            ExecutorBlocks blocks,
            @Nullable List<ExecutorBlocks.Handle> pieces,
            int shards,
            @Nullable CheckpointDraft draft) {
        return new StateRequest(
                version,
                blocks,
                pieces,
                Math.min(StateBlocks.MOST_WRITERS, shards),
                draft,
                context.sc().collectionAccumulator(),
                context.sc().collectionAccumulator());
    }

    /** Runs in a task of the step from {@code computed} on: what {@code compute} gives, with this shard's pieces left by then. */
    public <T> T beside(ProcessReplica executor, long computed, int shard, StateLog log, Supplier<T> compute) {
        T result = computed == version && shard < writers ? leaving(executor, shard, log, compute) : compute.get();
        executor.files().done(blocks.owner()).forEach(files::add);
        return result;
    }

    private <T> T leaving(ProcessReplica executor, int shard, StateLog log, Supplier<T> compute) {
        FutureTask<Written> leaving = new FutureTask<>(() -> Written.of(shard, pieces(executor, shard, log)));
        start(leaving, writing(executor, shard, leaving));
        T computed = compute.get();
        addTo(left, leaving);
        return computed;
    }

    private List<Piece> pieces(ProcessReplica executor, int shard, StateLog log) {
        return pieces == null
                ? executor.replica().read(version, log, state -> Piece.write(state, blocks, shard, writers))
                : IntStream.range(pieces.size() * shard / writers, pieces.size() * (shard + 1) / writers)
                        .mapToObj(number -> new Piece(number, pieces.get(number)))
                        .toList();
    }

    /** What is run when {@code leaving} is done. */
    private Runnable writing(ProcessReplica executor, int shard, FutureTask<Written> leaving) {
        CheckpointDraft checkpoint = draft;
        if (checkpoint == null) {
            return () -> {};
        }

        FutureTask<Optional<StoredFile>> writing =
                new FutureTask<>(() -> file(executor.configuration(), checkpoint, leaving.get()));
        executor.files().note(blocks.owner(), shard, writing);
        return writing;
    }

    private void start(Runnable leaving, Runnable writing) {
        Thread thread = new Thread(
                () -> {
                    leaving.run();
                    writing.run();
                },
                "state-" + version);
        thread.setDaemon(true);
        thread.start();
    }

    /** A State that is not there is one that the shard did not compute at either, or has left since: the driver then takes it otherwise. */
    private static void addTo(CollectionAccumulator<Written> left, FutureTask<Written> leaving) {
        try {
            left.add(leaving.get());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new CancellationException("Cannot leave the State: the task was cancelled");
        } catch (ExecutionException e) {
            if (!(e.getCause() instanceof UnreachableStateException || e.getCause() instanceof StaleVersionException)) {
                throw new IllegalStateException("Failed to leave the State in blocks", e.getCause());
            }
        }
    }

    private Optional<StoredFile> file(Configuration configuration, CheckpointDraft checkpoint, Written part)
            throws IOException {
        return part.pieces().isEmpty()
                ? Optional.empty()
                : Optional.of(checkpoint.write(configuration, part.writer(), out -> write(part, out)));
    }

    private void write(Written part, DataOutput out) throws IOException {
        StateBlocks.write(blocks, StateBlocks.handles(part.pieces().stream()), out);
    }

    /** Driver only: the State, if all have left their pieces. */
    Optional<StateBlocks> gathered() {
        Map<Integer, Written> byWriter = byWriter();
        return byWriter.size() < writers
                ? Optional.empty()
                : Optional.of(new StateBlocks(
                        version,
                        blocks,
                        StateBlocks.handles(byWriter.values().stream().flatMap(part -> part.pieces().stream()))));
    }

    private Map<Integer, Written> byWriter() {
        Map<Integer, Written> byWriter = new TreeMap<>();
        left.value().forEach(part -> byWriter.put(part.writer(), part));
        return byWriter;
    }

    /** Driver only: the State in files, if all of it is; nothing without a draft. */
    Optional<StateParts> parts(List<StateFile> told) {
        return draft == null ? Optional.empty() : StateFiles.parts(draft, told, writers);
    }

    /** Driver only: whether some part of it will be in none, as far as is known: who has it is lost, or has failed. */
    boolean isLost(List<StateFile> told, List<ExecutorPlace> executors) {
        Set<Integer> done =
                told.stream().filter(StateFile::isDone).map(StateFile::writer).collect(Collectors.toSet());
        Map<Integer, List<ExecutorPlace>> places = places();
        return told.stream().anyMatch(file -> !file.isDone() && !done.contains(file.writer()))
                || places.entrySet().stream()
                        .anyMatch(part ->
                                !done.contains(part.getKey()) && Collections.disjoint(part.getValue(), executors));
    }

    private Map<Integer, List<ExecutorPlace>> places() {
        return left.value().stream()
                .collect(Collectors.groupingBy(
                        Written::writer, Collectors.mapping(Written::place, Collectors.toList())));
    }

    /** Driver only: what became of the files, by a job that waits where they are being written. */
    List<StateFile> finishedFiles(JavaSparkContext context, RunHandle run) {
        Map<Integer, List<ExecutorPlace>> places = places();
        return StateFiles.toldBy(() -> PlacedTasks.withModel(context, List.copyOf(places.keySet()), places::get)
                .flatMap(new FinishedFiles(run, blocks.owner()))
                .collect());
    }

    /** Runs in a task. */
    private record FinishedFiles(RunHandle run, long request) implements FlatMapFunction<Integer, StateFile> {
        @Override
        public Iterator<StateFile> call(Integer writer) {
            return ProcessReplicas.of(run).files().finished(request).iterator();
        }
    }
}
