package org.sparkqlora.spark.replica;

import java.io.Serializable;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.CancellationException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.function.Supplier;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.util.CollectionAccumulator;
import org.sparkqlora.spark.blocks.ExecutorBlocks;
import org.sparkqlora.spark.replica.StateBlocks.Piece;
import org.sparkqlora.spark.replica.StateBlocks.Written;
import org.sparkqlora.train.Replica;
import org.sparkqlora.train.Replica.StaleVersionException;
import org.sparkqlora.train.StateLog;
import org.sparkqlora.train.UnreachableStateException;

/**
 * Asks the tasks of a step to leave the State that they compute at as blocks: each of the first shards writes some pieces of it, on a
 * thread of its own, while it computes. The step does not wait for a job of its own, as it does in {@link StateBlocks#take}.
 *
 * @param version of the State
 * @param blocks among which the pieces will be
 * @param writers how many shards write
 * @param left what they wrote, known to the driver when their tasks have ended; twice where a task ran again
 */
public record StateRequest(long version, ExecutorBlocks blocks, int writers, CollectionAccumulator<Written> left)
        implements Serializable {
    private static final long serialVersionUID = 1L;

    /** Driver only. */
    static StateRequest open(JavaSparkContext context, long version, int shards) {
        return new StateRequest(
                version,
                ExecutorBlocks.open(context),
                Math.min(StateBlocks.MOST_WRITERS, shards),
                context.sc().collectionAccumulator());
    }

    /** Runs in a task: what {@code compute} gives, with this shard's pieces left by then. */
    public <T> T beside(int shard, Replica replica, StateLog log, Supplier<T> compute) {
        if (shard >= writers) {
            return compute.get();
        }

        FutureTask<Written> writing = new FutureTask<>(() -> replica.read(
                version, log, state -> new Written(shard, true, Piece.write(state, blocks, shard, writers))));
        Thread thread = new Thread(writing, "state-" + version);
        thread.setDaemon(true);
        thread.start();
        T computed = compute.get();
        addTo(left, writing);
        return computed;
    }

    /** A State that is not there is one that the shard did not compute at either, or has left since: the driver then takes it otherwise. */
    private static void addTo(CollectionAccumulator<Written> left, FutureTask<Written> writing) {
        try {
            left.add(writing.get());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new CancellationException("Cannot leave the State: the task was cancelled");
        } catch (ExecutionException e) {
            if (!(e.getCause() instanceof UnreachableStateException || e.getCause() instanceof StaleVersionException)) {
                throw new IllegalStateException("Failed to leave the State in blocks", e.getCause());
            }
        }
    }

    /** Driver only: the State, if all have left their pieces. */
    Optional<StateBlocks> gathered() {
        Map<Integer, Written> byWriter = new TreeMap<>();
        left.value().forEach(part -> byWriter.put(part.writer(), part));
        return byWriter.size() < writers
                ? Optional.empty()
                : Optional.of(new StateBlocks(
                        version,
                        blocks,
                        StateBlocks.handles(byWriter.values().stream().flatMap(part -> part.pieces().stream()))));
    }
}
