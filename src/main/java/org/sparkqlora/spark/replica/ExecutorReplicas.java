package org.sparkqlora.spark.replica;

import java.io.DataOutput;
import java.io.IOException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.LongFunction;
import org.apache.spark.api.java.JavaSparkContext;
import org.jspecify.annotations.Nullable;
import org.sparkqlora.quant.Workers;
import org.sparkqlora.spark.blocks.ExecutorPlace;
import org.sparkqlora.spark.cluster.ScratchFolder;
import org.sparkqlora.train.Position;
import org.sparkqlora.train.SavedState;
import org.sparkqlora.train.ShardResult;
import org.sparkqlora.train.StateHome;
import org.sparkqlora.train.StateLog;
import org.sparkqlora.train.StateMean;
import org.sparkqlora.train.SummedGradient;
import org.sparkqlora.train.TrainState;
import org.sparkqlora.train.UnreachableStateException;
import org.sparkqlora.train.Update;

/**
 * A State that only executors have. The driver keeps handles of the latest updates, from which those that have a recent State move on by
 * themselves. Where one joined or fell behind, some of the others leave the State as blocks; so they do for a checkpoint.
 */
public final class ExecutorReplicas implements ReplicaGroup {
    private final JavaSparkContext context;
    private final RunHandle run;
    private final int mostUpdates;
    private final LongFunction<SummedGradient> recompute;
    private final Deque<Update> updates = new ArrayDeque<>();
    private final Map<String, Long> reached = new HashMap<>();
    private final List<Snapshot> written = new ArrayList<>();
    private final Workers workers = new Workers(1);
    private Position position;
    private boolean isRecomputing;
    private volatile @Nullable Snapshot snapshot; // a thread that writes a checkpoint may find it lost
    private @Nullable TrainState fetched;

    /**
     * Takes {@code state} over: executors get it from the driver, once.
     *
     * @param mostUpdates that an executor may be behind before it needs a State
     * @param recompute computes the sum of gradients of a version again, which gives the same numbers
     */
    public ExecutorReplicas(
            JavaSparkContext context,
            RunHandle run,
            TrainState state,
            int mostUpdates,
            LongFunction<SummedGradient> recompute) {
        this.context = context;
        this.run = run;
        this.mostUpdates = mostUpdates;
        this.recompute = recompute;
        this.position = state.position();
        this.snapshot = BroadcastSnapshot.of(context, state);
        state.close();
    }

    @Override
    public Position position() {
        return position;
    }

    /** Whoever computed at the position has its State. */
    @Override
    public void computed(List<ShardResult.Gradient> shards) {
        shards.forEach(shard -> reached.put(shard.report().worker(), position.version()));
    }

    @Override
    public StateLog stateLog() {
        List<ExecutorPlace> executors = ExecutorPlace.all();
        reached.keySet()
                .retainAll(executors.stream().map(ExecutorPlace::toString).toList());
        if (snapshot == null && executors.stream().anyMatch(this::isBehind)) {
            take();
        }

        return log();
    }

    private boolean isBehind(ExecutorPlace executor) {
        return reached.getOrDefault(executor.toString(), Long.MIN_VALUE) < firstUpdate();
    }

    private long firstUpdate() {
        return position.version() - updates.size();
    }

    private UpdateLog log() {
        return new UpdateLog(snapshot, firstUpdate(), List.copyOf(updates), run.optimizer());
    }

    @Override
    public void apply(Update update) {
        position = position.after(update);
        updates.add(update);
        if (updates.size() > mostUpdates) {
            updates.remove();
        }

        forgetFetched();
        Snapshot last = snapshot;
        if (last != null && last.version() < firstUpdate()) {
            replaceSnapshot(null);
        }
    }

    /** Some executor could not come to the position: the next log has a State of it. */
    @Override
    public void recover(UnreachableStateException reason) {
        take();
    }

    /** The State at the position, left as blocks by executors that have it. */
    private StateBlocks take() {
        Optional<StateBlocks> taken = tryToTake();
        if (taken.isEmpty() && !updates.isEmpty() && !isRecomputing) {
            recomputeLastSum();
            taken = tryToTake();
        }

        StateBlocks state = taken.orElseThrow(this::nobodyHasTheState);
        replaceSnapshot(state);
        return state;
    }

    private Optional<StateBlocks> tryToTake() {
        List<ExecutorPlace> holders =
                ExecutorPlace.all().stream().filter(place -> !isBehind(place)).toList();
        if (holders.isEmpty() && snapshot == null) {
            throw nobodyHasTheState();
        }

        return StateBlocks.take(context, run, position.version(), log(), holders);
    }

    private UnreachableStateException nobodyHasTheState() {
        return new UnreachableStateException(
                "no executor has the State of version %d any more".formatted(position.version()));
    }

    /** All who had added the last update, or some part of it, are lost before anyone had fetched it: those left are one step behind. */
    private void recomputeLastSum() {
        Update lost = updates.removeLast();
        Position after = position;
        position = new Position(lost.fromVersion(), position.scale());
        isRecomputing = true;
        try {
            SummedGradient sum = recompute.apply(lost.fromVersion());
            updates.addLast(new Update(lost.fromVersion(), sum, lost.scale(), lost.learningRate()));
            position = after;
        } finally {
            isRecomputing = false;
        }
    }

    private synchronized void replaceSnapshot(@Nullable Snapshot newer) {
        Snapshot last = snapshot;
        snapshot = newer;
        if (last != null && !written.contains(last)) {
            last.close();
        }
    }

    @Override
    public synchronized SavedState saved() {
        StateBlocks taken = current();
        written.add(taken);
        return new SavedState() {
            @Override
            public long version() {
                return taken.version();
            }

            @Override
            public boolean isLasting() {
                return true;
            }

            @Override
            public void write(DataOutput out) throws IOException {
                try {
                    taken.write(out);
                } catch (UnreachableStateException e) {
                    forget(taken);
                    throw e;
                }
            }

            @Override
            public void release() {
                ExecutorReplicas.this.release(taken);
            }
        };
    }

    /** A State of which a piece is lost is not given to anyone else. */
    private synchronized void forget(StateBlocks state) {
        if (snapshot == state) {
            snapshot = null;
        }
    }

    private synchronized void release(StateBlocks state) {
        written.remove(state);
        if (snapshot != state && !written.contains(state)) {
            state.close();
        }
    }

    private StateBlocks current() {
        return snapshot instanceof StateBlocks taken && taken.version() == position.version() ? taken : take();
    }

    @Override
    public TrainState state() {
        TrainState here = fetched;
        if (here == null) {
            here = current().read(run.optimizer(), new StateHome(workers, run.paging(), ScratchFolder.ofProcess()));
            fetched = here;
        }

        return here;
    }

    /** Local steps exchange whole States, for which the driver has its own. */
    @Override
    public double become(StateMean mean, int steps) {
        throw new IllegalStateException("Cannot set a State that executors hold to a mean");
    }

    /** None but those of {@link #state}, which nothing updates. */
    @Override
    public long optimizerResidentBytes() {
        return 0;
    }

    @Override
    public void close() {
        replaceSnapshot(null);
        forgetFetched();
        workers.close();
    }

    private void forgetFetched() {
        if (fetched != null) {
            fetched.close();
            fetched = null;
        }
    }
}
