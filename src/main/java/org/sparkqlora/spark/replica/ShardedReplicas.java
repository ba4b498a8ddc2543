package org.sparkqlora.spark.replica;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.LongFunction;
import java.util.stream.Collectors;
import org.apache.spark.api.java.JavaSparkContext;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.sparkqlora.checkpoint.CheckpointDraft;
import org.sparkqlora.optim.OptimizerPart;
import org.sparkqlora.spark.blocks.ExecutorBlocks;
import org.sparkqlora.spark.blocks.ExecutorPlace;
import org.sparkqlora.tensor.FlatVector;
import org.sparkqlora.train.Position;
import org.sparkqlora.train.SavedState;
import org.sparkqlora.train.ShardResult;
import org.sparkqlora.train.StateHome;
import org.sparkqlora.train.StateLog;
import org.sparkqlora.train.StateOrigin;
import org.sparkqlora.train.SummedGradient;
import org.sparkqlora.train.TrainState;
import org.sparkqlora.train.UnreachableStateException;
import org.sparkqlora.train.Update;

/**
 * A State of which each executor owns a part, ZeRO stage 1: it updates the parameters of that part, and the others fetch them from it. The
 * numbers are those that one process would come to, for an optimiser treats each block by itself. Driver only.
 */
public final class ShardedReplicas implements ReplicaGroup.OfExecutors, ExecutorsState.Owner {
    private static final Logger LOG = LoggerFactory.getLogger(ShardedReplicas.class);

    private final JavaSparkContext context;
    private final RunHandle run;
    private final long seed;
    private final ShardedStateJob job;
    private final LongFunction<SummedGradient> recompute;
    private final List<StateBlocks> written = new ArrayList<>();
    private final FetchedParameters fetched;
    private final PendingCheckpoint unwritten = new PendingCheckpoint();
    private Set<String> workers = Set.of();
    private List<ExecutorPlace> owners = List.of();
    private ShardedState state;
    private boolean isClosed;

    /**
     * Begins with the State of {@code origin}, which the driver sends only where executors cannot make it by themselves.
     *
     * @param cut the parts
     * @param seed of the run
     * @param recompute computes the sum of gradients of a version again, which gives the same numbers
     */
    public ShardedReplicas(
            JavaSparkContext context,
            RunHandle run,
            StateOrigin origin,
            List<OptimizerPart> cut,
            long seed,
            LongFunction<SummedGradient> recompute) {
        this.context = context;
        this.run = run;
        this.fetched = new FetchedParameters(run);
        this.seed = seed;
        this.job = new ShardedStateJob(context, run, cut);
        this.recompute = recompute;
        this.state = first(origin);
    }

    private ShardedState first(StateOrigin origin) {
        Optional<StateOrigin.Recipe> recipe = origin.recipe();
        return recipe.flatMap(known -> job.make(known.position(), owners(), new ShardedStateJob.ByRecipe(known)))
                .orElseGet(() -> {
                    recipe.ifPresent(known -> LOG.warn(
                            "Executors could not make the State of version {}, which the driver sends instead",
                            known.position().version()));
                    return sent(origin);
                });
    }

    /** The driver has the State for as long as this takes. */
    private ShardedState sent(StateOrigin origin) {
        try (ExecutorBlocks blocks = ExecutorBlocks.open(context);
                TrainState here = origin.read()) {
            PartBlocks parts = new PartBlocks(blocks, true);
            here.writeParts(job.cut(), parts);
            ShardedState ofDriver = new ShardedState(
                    here.position(),
                    blocks,
                    job.cut().stream().map(parts::filled).toList());
            return job.make(here.position(), owners(), new ShardedStateJob.Copied(ofDriver))
                    .orElseThrow(() -> lost(here.version()));
        } catch (IOException e) {
            throw new UncheckedIOException("Failed to leave a State in parts", e);
        }
    }

    @Override
    public Position position() {
        return state.position();
    }

    @Override
    public StateLog stateLog() {
        return state.parameters();
    }

    @Override
    public void apply(Update update) {
        fetched.forget();
        Position next = position().after(update);
        replace(position().takes(update) ? moved(update, next) : state.at(next));
    }

    /** Where a sum was lost with all who had it, it is computed again from the State, which is still there. */
    private ShardedState moved(Update update, Position next) {
        return job.make(next, owners(), new ShardedStateJob.Updated(state, update))
                .or(() -> job.make(next, owners(), new ShardedStateJob.Updated(state, recomputed(update))))
                .orElseThrow(() -> lost(state.version()));
    }

    /**
     * Those that computed the last step, or as many that own the State already: dynamic allocation takes back who is idle for long. All where
     * none is known.
     */
    private List<ExecutorPlace> owners() {
        List<ExecutorPlace> all = ExecutorPlace.all();
        List<ExecutorPlace> computed =
                all.stream().filter(place -> workers.contains(place.toString())).toList();
        boolean stay = owners.size() == computed.size() && all.containsAll(owners);
        if (!stay) {
            owners = computed;
        }

        return owners.isEmpty() ? all : owners;
    }

    private Update recomputed(Update update) {
        SummedGradient sum = recompute.apply(update.fromVersion());
        return new Update(update.fromVersion(), sum, update.scale(), update.learningRate());
    }

    private static UnreachableStateException lost(long version) {
        return new UnreachableStateException("the State of version %d is lost".formatted(version));
    }

    private synchronized void replace(ShardedState next) {
        ShardedState last = state;
        state = next;
        closeUnused(last.blocks());
    }

    /** Closes what neither the State nor a checkpoint that is being written lies in. */
    private void closeUnused(ExecutorBlocks blocks) {
        boolean isCurrent = state.blocks() == blocks && !isClosed;
        if (!isCurrent && written.stream().noneMatch(each -> each.blocks() == blocks)) {
            blocks.close();
        }
    }

    @Override
    public SavedState saved() {
        StateBlocks blocks = state.saved(seed);
        ExecutorsState saved = left(blocks);
        saved.unwritten();
        return saved;
    }

    private ExecutorsState left(StateBlocks blocks) {
        ExecutorsState saved = new ExecutorsState(this, blocks.version());
        saved.left(blocks);
        return saved;
    }

    @Override
    public SavedState saved(LongFunction<Optional<CheckpointDraft>> drafts) {
        StateBlocks blocks = state.saved(seed);
        ExecutorsState saved = left(blocks);
        drafts.apply(blocks.version())
                .flatMap(draft -> new StateWriting(run, draft, blocks).write(context))
                .ifPresentOrElse(saved::written, saved::unwritten);
        return saved;
    }

    @Override
    public SavedState savedByNextStep(int shards, LongFunction<Optional<CheckpointDraft>> drafts) {
        StateBlocks blocks = state.saved(seed);
        ExecutorsState saved = left(blocks);
        drafts.apply(blocks.version())
                .ifPresentOrElse(
                        draft -> unwritten.begin(new PendingCheckpoint.Requested(
                                StateRequest.of(context, blocks, shards, draft), saved)),
                        saved::unwritten);
        return saved;
    }

    @Override
    public Optional<StateRequest> request() {
        return unwritten.request();
    }

    @Override
    public void computed(List<ShardResult.Gradient> shards) {
        workers = shards.stream().map(shard -> shard.report().worker()).collect(Collectors.toSet());
        unwritten.settleIfKnown();
    }

    @Override
    public void settle() {
        unwritten.settle(context, run);
    }

    @Override
    public synchronized void keep(StateBlocks blocks) {
        written.add(blocks);
    }

    /** A State of which a piece is lost is gone: the next step will say so. */
    @Override
    public void forget(StateBlocks blocks) {}

    @Override
    public synchronized void release(StateBlocks blocks) {
        written.remove(blocks);
        closeUnused(blocks.blocks());
    }

    @Override
    public FlatVector parameters() {
        return fetched.get(this::fetch);
    }

    private FlatVector fetch(StateHome home) {
        List<OptimizerPart> cut = job.cut();
        FlatVector parameters =
                home.zeros(run.optimizer(), cut.get(cut.size() - 1).to());
        try {
            state.parameters().fetchInto(parameters);
            return parameters;
        } catch (RuntimeException e) {
            parameters.close();
            throw e;
        }
    }

    @Override
    public void close() {
        end();
        fetched.close();
    }

    private synchronized void end() {
        isClosed = true;
        closeUnused(state.blocks());
    }
}
