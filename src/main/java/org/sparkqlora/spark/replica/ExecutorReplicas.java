package org.sparkqlora.spark.replica;

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
import org.sparkqlora.checkpoint.CheckpointDraft;
import org.sparkqlora.spark.blocks.ExecutorPlace;
import org.sparkqlora.spark.replica.PendingCheckpoint.Requested;
import org.sparkqlora.tensor.FlatVector;
import org.sparkqlora.train.Position;
import org.sparkqlora.train.SavedState;
import org.sparkqlora.train.SavedState.StateParts;
import org.sparkqlora.train.ShardResult;
import org.sparkqlora.train.StateLog;
import org.sparkqlora.train.StateOrigin;
import org.sparkqlora.train.SummedGradient;
import org.sparkqlora.train.UnreachableStateException;
import org.sparkqlora.train.Update;

/**
 * A State that only executors have. Each makes the first one by itself, or gets it from the driver. The driver keeps handles of the latest
 * updates, from which those that have a recent State move on by themselves. Where one joined or fell behind, some of the others leave the
 * State as blocks; so they do for a checkpoint, which they write.
 */
public final class ExecutorReplicas implements ReplicaGroup.OfExecutors, ExecutorsState.Owner {
    private final JavaSparkContext context;
    private final RunHandle run;
    private final StateOrigin origin;
    private final int mostUpdates;
    private final LongFunction<SummedGradient> recompute;
    private final Deque<Update> updates = new ArrayDeque<>();
    private final Map<String, Long> reached = new HashMap<>();
    private final List<Snapshot> written = new ArrayList<>();
    private final FetchedParameters fetched;
    private final PendingCheckpoint unwritten = new PendingCheckpoint(); // its State is left
    private Position position;
    private boolean isRecomputing;
    private volatile @Nullable Snapshot snapshot; // a thread that writes a checkpoint may find it lost
    private @Nullable Requested requested; // to be left

    /**
     * Begins with the State of {@code origin}, which the driver sends only where executors cannot make it by themselves.
     *
     * @param mostUpdates that an executor may be behind before it needs a State
     * @param recompute computes the sum of gradients of a version again, which gives the same numbers
     */
    public ExecutorReplicas(
            JavaSparkContext context,
            RunHandle run,
            StateOrigin origin,
            int mostUpdates,
            LongFunction<SummedGradient> recompute) {
        this.context = context;
        this.run = run;
        this.fetched = new FetchedParameters(run);
        this.origin = origin;
        this.mostUpdates = mostUpdates;
        this.recompute = recompute;
        FirstSnapshot first = FirstSnapshot.of(context, run, origin);
        this.position = first.position();
        this.snapshot = first.snapshot();
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
        unwritten.settleIfKnown();
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

        fetched.forget();
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

        if (taken.isEmpty()) {
            Optional<Snapshot> sent = FirstSnapshot.sentFor(snapshot, context, origin);
            sent.ifPresent(this::replaceSnapshot);
            taken = sent.flatMap(ready -> tryToTake());
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
        ExecutorsState saved = new ExecutorsState(this, position.version());
        saved.left(current());
        saved.unwritten();
        return saved;
    }

    @Override
    public SavedState saved(LongFunction<Optional<CheckpointDraft>> drafts) {
        StateBlocks blocks = current();
        ExecutorsState saved = new ExecutorsState(this, blocks.version());
        saved.left(blocks);
        drafts.apply(blocks.version())
                .flatMap(draft -> written(blocks, draft))
                .ifPresentOrElse(saved::written, saved::unwritten);
        return saved;
    }

    private Optional<StateParts> written(StateBlocks blocks, CheckpointDraft draft) {
        return new StateWriting(run, draft, blocks).write(context);
    }

    @Override
    public SavedState savedByNextStep(int shards, LongFunction<Optional<CheckpointDraft>> drafts) {
        if (taken().isPresent()) {
            return saved(drafts);
        }

        long version = position.version();
        CheckpointDraft draft = drafts.apply(version).orElse(null);
        ExecutorsState saved = new ExecutorsState(this, version);
        requested = new Requested(StateRequest.open(context, version, shards, draft), saved);
        return saved;
    }

    @Override
    public Optional<StateRequest> request() {
        return Optional.ofNullable(requested).map(Requested::request).or(unwritten::request);
    }

    @Override
    public void settle() {
        settleRequested();
        unwritten.settle(context, run);
    }

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
            last.saved().left(gathered.orElseGet(this::current));
        } catch (UnreachableStateException e) {
            last.saved().lost(e);
        }

        if (gathered.isPresent() && last.request().draft() != null) {
            unwritten.begin(last);
        } else {
            last.saved().unwritten();
        }
    }

    @Override
    public synchronized void keep(StateBlocks state) {
        written.add(state);
    }

    @Override
    public synchronized void forget(StateBlocks state) {
        if (snapshot == state) {
            snapshot = null;
        }
    }

    @Override
    public synchronized void release(StateBlocks state) {
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
    public FlatVector parameters() {
        return fetched.get(home -> current().parameters(run.optimizer(), home));
    }

    @Override
    public void close() {
        Requested last = requested;
        if (last != null) {
            last.request().blocks().close(); // tasks of a step that was broken off may have left some
        }

        replaceSnapshot(null);
        fetched.close();
    }
}
