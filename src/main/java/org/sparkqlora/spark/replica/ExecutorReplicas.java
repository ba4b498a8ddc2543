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
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
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
    private @Nullable Requested requested;

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
        settleRequested();
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
    public SavedState saved() {
        return new Saved(position.version(), current());
    }

    @Override
    public SavedState savedByNextStep(int shards) {
        if (taken().isPresent()) {
            return saved();
        }

        StateRequest asked = StateRequest.open(context, position.version(), shards);
        Saved saved = new Saved(position.version(), null);
        requested = new Requested(asked, saved);
        return saved;
    }

    @Override
    public Optional<StateRequest> request(long version) {
        return Optional.ofNullable(requested).map(Requested::request).filter(each -> each.version() == version);
    }

    /**
     * A State that the tasks of a step are to leave.
     *
     * @param saved waits for it
     */
    private record Requested(StateRequest request, Saved saved) {}

    /** Takes what tasks have left, or else the State of now, which is the same. */
    private void settleRequested() {
        Requested last = requested;
        if (last == null) {
            return;
        }

        requested = null;
        Optional<StateBlocks> gathered = last.request().gathered();
        if (gathered.isPresent()) {
            replaceSnapshot(gathered.get());
        } else {
            last.request().blocks().close();
        }

        try {
            last.saved().taken(gathered.orElseGet(this::current));
        } catch (UnreachableStateException e) {
            last.saved().lost(e);
        }
    }

    /** A State on its way to a checkpoint. */
    private final class Saved implements SavedState {
        private final long version;
        private final CompletableFuture<StateBlocks> state = new CompletableFuture<>();

        /** @param taken null where it comes later */
        private Saved(long version, @Nullable StateBlocks taken) {
            this.version = version;
            if (taken != null) {
                taken(taken);
            }
        }

        private void taken(StateBlocks blocks) {
            keep(blocks);
            state.complete(blocks);
        }

        @Override
        public long version() {
            return version;
        }

        @Override
        public boolean isLasting() {
            return true;
        }

        @Override
        public void settle() {
            if (!state.isDone()) {
                settleRequested();
            }
        }

        @Override
        public void abandon() {
            lost(new UnreachableStateException(
                    "training ended before the State of version %d was left".formatted(version)));
        }

        private void lost(UnreachableStateException reason) {
            state.completeExceptionally(reason);
        }

        @Override
        public void write(DataOutput out) throws IOException {
            StateBlocks taken = waitFor();
            try {
                taken.write(out);
            } catch (UnreachableStateException e) {
                forget(taken);
                throw e;
            }
        }

        private StateBlocks waitFor() {
            try {
                return state.join();
            } catch (CompletionException e) {
                throw e.getCause() instanceof UnreachableStateException lost ? lost : e;
            }
        }

        @Override
        public void release() {
            if (state.isDone() && !state.isCompletedExceptionally()) {
                ExecutorReplicas.this.release(state.join());
            }
        }
    }

    private synchronized void keep(StateBlocks state) {
        written.add(state);
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
        return taken().orElseGet(this::take);
    }

    /** The State at the position, if executors have left it. */
    private Optional<StateBlocks> taken() {
        return snapshot instanceof StateBlocks taken && taken.version() == position.version()
                ? Optional.of(taken)
                : Optional.empty();
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
