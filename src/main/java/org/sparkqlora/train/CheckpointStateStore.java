package org.sparkqlora.train;

import java.io.DataInputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.sparkqlora.checkpoint.Checkpoint;
import org.sparkqlora.checkpoint.CheckpointDraft;
import org.sparkqlora.checkpoint.CheckpointStore;
import org.sparkqlora.checkpoint.StoredState;
import org.sparkqlora.input.BadInputException;
import org.sparkqlora.optim.OptimizerPart;
import org.sparkqlora.optim.OptimizerSpec;
import org.sparkqlora.storage.DamagedFileException;
import org.sparkqlora.tensor.FlatVector;
import org.sparkqlora.train.metrics.MetricsJson;
import org.sparkqlora.train.metrics.StepMetrics;

/** Keeps the States of one plan as checkpoints, and refuses those of another. */
public final class CheckpointStateStore implements StateStore {
    private static final String PLAN = "plan";
    private static final String UNEVALUATED = "unevaluated";

    private final CheckpointStore store;
    private final TrainPlan plan;
    private final StateHome home;
    private final Consumer<String> warnings;
    private @Nullable Checkpoint begun; // that a run goes on from

    /** @param warnings is told of checkpoints that are passed over */
    public CheckpointStateStore(CheckpointStore store, TrainPlan plan, StateHome home, Consumer<String> warnings) {
        this.store = store;
        this.plan = plan;
        this.home = home;
        this.warnings = warnings;
    }

    @Override
    public Optional<Stored> newest() {
        return store.newestGood().map(checkpoint -> stored(checkpoint, true));
    }

    @Override
    public Optional<Stored> newestByLength() {
        return store.newestByLength().map(checkpoint -> stored(checkpoint, false));
    }

    /** A State after that of a checkpoint comes from it, so that was read whole. */
    @Override
    public void save(SavedState state, Optional<StepMetrics> unevaluated) {
        Checkpoint from = begun;
        if (from != null && state.version() > from.step()) {
            store.trust(from);
        }

        Map<String, String> facts = new HashMap<>(Map.of(PLAN, TrainPlanJson.write(plan)));
        unevaluated.ifPresent(step -> facts.put(UNEVALUATED, MetricsJson.write(step, OptionalDouble.empty())));
        state.parts()
                .filter(parts -> store.has(parts.draft(), parts.files()))
                .ifPresentOrElse(
                        parts -> store.publish(parts.draft(), facts, parts.files()),
                        () -> store.publish(state.version(), facts, state::write));
    }

    @Override
    public Optional<CheckpointDraft> draft(long version) {
        return Optional.of(store.draft(version));
    }

    @Override
    public void claim() {
        store.claim();
    }

    @Override
    public void requireOwned() {
        store.requireOwned();
    }

    @Override
    public void clear() {
        store.clear();
    }

    private Stored stored(Checkpoint checkpoint, boolean isCompared) {
        requireThisPlan(checkpoint);
        begun = checkpoint;
        checkpoint
                .skipped()
                .forEach(reason -> warnings.accept(String.format(
                        Locale.ROOT,
                        "Passed over a damaged checkpoint for that of step %d: %s",
                        checkpoint.step(),
                        reason)));
        return new OfCheckpoint(checkpoint, isCompared, plan.optimizer(), home);
    }

    private void requireThisPlan(Checkpoint checkpoint) {
        TrainPlan recorded = TrainPlanJson.read(checkpoint.facts().getOrDefault(PLAN, "{}"));
        if (!plan.goesOnFrom(recorded)) {
            throw new BadInputException(
                    "Cannot resume from the checkpoint of step %d: it belongs to another plan (%s). Choose another output folder, or the old settings."
                            .formatted(
                                    checkpoint.step(), String.join("; ", TrainPlanJson.differences(recorded, plan))));
        }
    }

    /** @param isCompared whether its files were found to be as written */
    private record OfCheckpoint(Checkpoint checkpoint, boolean isCompared, OptimizerSpec optimizer, StateHome home)
            implements Stored {
        @Override
        public long version() {
            return checkpoint.step();
        }

        @Override
        public Optional<StepMetrics> unevaluated() {
            return Optional.ofNullable(checkpoint.facts().get(UNEVALUATED)).map(MetricsJson::read);
        }

        @Override
        public TrainState read() {
            return reading(checkpoint.step(), () -> readWhole(checkpoint.openState(), bytes(), optimizer, home));
        }

        @Override
        public FlatVector parameters() {
            return reading(checkpoint.step(), () -> {
                try (DataInputStream in = checkpoint.openState()) {
                    FlatVector parameters = TrainState.readParameters(in, bytes(), optimizer, home);
                    if (!isCompared) {
                        readRest(in, parameters);
                    }

                    return parameters;
                }
            });
        }

        private long bytes() {
            return checkpoint.stored().bytes();
        }

        /** Reads what follows the parameters. The last byte fails if any differs from what was written. */
        private static void readRest(DataInputStream in, FlatVector parameters) throws IOException {
            try {
                in.transferTo(OutputStream.nullOutputStream());
            } catch (IOException | RuntimeException e) {
                parameters.close();
                throw e;
            }
        }

        /** The position is at the start of the State's bytes; no more of them is read here. */
        @Override
        public Optional<Recipe> recipe() {
            return Optional.of(new FromFiles(reading(checkpoint.step(), this::position), checkpoint.stored()));
        }

        private Position position() throws IOException {
            try (DataInputStream in = checkpoint.openState()) {
                Position position = StateHead.readPosition(in);
                if (position.version() != checkpoint.step()) {
                    throw new IOException("expected the State of that step, found that of " + position.version());
                }

                return position;
            }
        }
    }

    /** Reads the checkpoint's files where they are, and compares them with their hashes on the way. */
    private record FromFiles(Position position, StoredState files) implements StateOrigin.Recipe {
        private static final long serialVersionUID = 1L;

        @Override
        public TrainState make(
                GradientModel model, OptimizerSpec optimizer, StateHome home, StateOrigin.Opening opening) {
            return reading(position.version(), () -> readWhole(opening.open(files), files.bytes(), optimizer, home));
        }

        @Override
        public void makeParts(
                List<OptimizerPart> parts,
                GradientModel model,
                StateHome home,
                StateOrigin.Opening opening,
                OptimizerPart.Sink sink) {
            reading(position.version(), () -> {
                try (DataInputStream in = opening.open(files)) {
                    SavedParts.read(in, files.bytes(), parts, sink);
                    requireEnd(in);
                    return parts;
                }
            });
        }
    }

    /** Reads a State to its last byte, which fails if any differs from what was written. */
    private static TrainState readWhole(DataInputStream opened, long bytes, OptimizerSpec optimizer, StateHome home)
            throws IOException {
        try (DataInputStream in = opened) {
            TrainState state = TrainState.read(in, bytes, optimizer, home);
            try {
                requireEnd(in);
                return state;
            } catch (IOException | RuntimeException e) {
                state.close();
                throw e;
            }
        }
    }

    private static void requireEnd(DataInputStream in) throws IOException {
        if (in.read() >= 0) {
            throw new IOException("expected its end behind the optimiser's state, found more");
        }
    }

    /** What {@code reader} reads; a State that cannot be read is unreachable. */
    private static <T> T reading(long step, StateReader<T> reader) {
        try {
            return reader.read();
        } catch (IOException | UncheckedIOException | IllegalArgumentException e) {
            String reason = e instanceof DamagedFileException ? e.getMessage() : e.toString();
            throw new UnreachableStateException(
                    "cannot read the checkpoint of step %d here (%s)".formatted(step, reason), e);
        }
    }

    private interface StateReader<T> {
        T read() throws IOException;
    }
}
