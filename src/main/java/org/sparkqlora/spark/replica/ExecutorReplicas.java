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
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.sparkqlora.checkpoint.CheckpointDraft;
import org.sparkqlora.quant.Workers;
import org.sparkqlora.spark.blocks.ExecutorPlace;
import org.sparkqlora.spark.cluster.ScratchFolder;
import org.sparkqlora.spark.replica.StateFiles.StateFile;
import org.sparkqlora.tensor.FlatVector;
import org.sparkqlora.train.Position;
import org.sparkqlora.train.SavedState;
import org.sparkqlora.train.SavedState.StateParts;
import org.sparkqlora.train.ShardResult;
import org.sparkqlora.train.StateHome;
import org.sparkqlora.train.StateLog;
import org.sparkqlora.train.StateMean;
import org.sparkqlora.train.StateOrigin;
import org.sparkqlora.train.SummedGradient;
import org.sparkqlora.train.UnreachableStateException;
import org.sparkqlora.train.Update;

/**
 * A State that only executors have. Each makes the first one by itself, or gets it from the driver. The driver keeps handles of the latest
 * updates, from which those that have a recent State move on by themselves. Where one joined or fell behind, some of the others leave the
 * State as blocks; so they do for a checkpoint, which they write.
 */
public final class ExecutorReplicas implements ReplicaGroup {
    private static final Logger LOG = LoggerFactory.getLogger(ExecutorReplicas.class);

    private final JavaSparkContext context;
    private final RunHandle run;
    private final StateOrigin origin;
    private final int mostUpdates;
    private final LongFunction<SummedGradient> recompute;
    private final Deque<Update> updates = new ArrayDeque<>();
    private final Map<String, Long> reached = new HashMap<>();
    private final List<Snapshot> written = new ArrayList<>();
    private final Workers workers = new Workers(1);
    private Position position;
    private boolean isRecomputing;
    private volatile @Nullable Snapshot snapshot; // a thread that writes a checkpoint may find it lost
    private @Nullable FlatVector fetched;
    private @Nullable Requested requested;
    private @Nullable Requested unwritten; // left, and not yet in files

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
        settleUnwritten();
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
        StateWriting writing = new StateWriting(run, draft, blocks);
        List<StateFile> told = writing.run(context);
        Optional<StateParts> parts = writing.parts(told);
        if (parts.isEmpty()) {
            warnOfUnwritten(blocks.version(), told);
        }

        return parts;
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
        return Optional.ofNullable(requested == null ? unwritten : requested).map(Requested::request);
    }

    /**
     * A State that tasks of a step are to leave, or whose files they write.
     *
     * @param saved waits for it
     */
    private record Requested(StateRequest request, ExecutorsState saved) {}

    /** Takes what is still to come now, when no step comes before it is needed. */
    void settle() {
        settleRequested();
        Requested last = unwritten;
        if (last != null) {
            unwritten = null;
            List<StateFile> told = last.request().files().value();
            boolean isKnown =
                    last.request().parts(told).isPresent() || last.request().isLost(told, ExecutorPlace.all());
            settle(last, isKnown ? told : last.request().finishedFiles(context, run));
        }
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
            unwritten = last;
        } else {
            last.saved().unwritten();
        }
    }

    /** Takes what tasks have told of the files, if that is all or can never be all. */
    private void settleUnwritten() {
        Requested last = unwritten;
        if (last == null) {
            return;
        }

        List<StateFile> told = last.request().files().value();
        if (last.request().parts(told).isPresent() || last.request().isLost(told, ExecutorPlace.all())) {
            unwritten = null;
            settle(last, told);
        }
    }

    private static void settle(Requested last, List<StateFile> told) {
        Optional<StateParts> parts = last.request().parts(told);
        if (parts.isEmpty()) {
            warnOfUnwritten(last.request().version(), told);
        }

        parts.ifPresentOrElse(last.saved()::written, last.saved()::unwritten);
    }

    private static void warnOfUnwritten(long version, List<StateFile> told) {
        LOG.warn(
                "Executors could not write all of the checkpoint of version {}, which the driver writes instead: {}",
                version,
                told.stream()
                        .map(StateFile::problem)
                        .filter(problem -> !problem.isEmpty())
                        .toList());
    }

    synchronized void keep(StateBlocks state) {
        written.add(state);
    }

    /** A State of which a piece is lost is not given to anyone else. */
    synchronized void forget(StateBlocks state) {
        if (snapshot == state) {
            snapshot = null;
        }
    }

    synchronized void release(StateBlocks state) {
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
        FlatVector here = fetched;
        if (here == null) {
            StateHome home = new StateHome(workers, run.paging(), ScratchFolder.ofProcess());
            here = current().parameters(run.optimizer(), home);
            fetched = here;
        }

        return here;
    }

    /** Local steps exchange whole States, for which the driver has its own. */
    @Override
    public double become(StateMean mean, int steps) {
        throw new IllegalStateException("Cannot set a State that executors hold to a mean");
    }

    /** None: executors have it. */
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
