package org.sparkqlora.train;

import java.io.DataInputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;
import org.sparkqlora.checkpoint.Checkpoint;
import org.sparkqlora.checkpoint.CheckpointDraft;
import org.sparkqlora.checkpoint.CheckpointStore;
import org.sparkqlora.checkpoint.StoredState;
import org.sparkqlora.input.BadInputException;
import org.sparkqlora.optim.OptimizerSpec;
import org.sparkqlora.tensor.FlatVector;

/** Keeps the States of one plan as checkpoints, and refuses those of another. */
public final class CheckpointStateStore implements StateStore {
    private static final String PLAN = "plan";

    private final CheckpointStore store;
    private final TrainPlan plan;
    private final StateHome home;
    private final Consumer<String> warnings;

    /** @param warnings is told of checkpoints that are passed over */
    public CheckpointStateStore(CheckpointStore store, TrainPlan plan, StateHome home, Consumer<String> warnings) {
        this.store = store;
        this.plan = plan;
        this.home = home;
        this.warnings = warnings;
    }

    @Override
    public Optional<Stored> newest() {
        return store.newestGood().map(this::stored);
    }

    @Override
    public void save(SavedState state) {
        Map<String, String> facts = Map.of(PLAN, TrainPlanJson.write(plan));
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

    private Stored stored(Checkpoint checkpoint) {
        requireThisPlan(checkpoint);
        checkpoint
                .skipped()
                .forEach(reason -> warnings.accept(String.format(
                        Locale.ROOT,
                        "Passed over a damaged checkpoint for that of step %d: %s",
                        checkpoint.step(),
                        reason)));
        return new OfCheckpoint(checkpoint, plan.optimizer(), home);
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

    private record OfCheckpoint(Checkpoint checkpoint, OptimizerSpec optimizer, StateHome home) implements Stored {
        @Override
        public long version() {
            return checkpoint.step();
        }

        @Override
        public TrainState read() {
            return read(in -> TrainState.read(in, optimizer, home));
        }

        @Override
        public FlatVector parameters() {
            return read(in -> TrainState.readParameters(in, optimizer, home));
        }

        /** The position is at the start of the State's bytes; no more of them is read here. */
        @Override
        public Optional<Recipe> recipe() {
            return Optional.of(new FromFiles(read(TrainState::readPosition), checkpoint.stored()));
        }

        private <T> T read(StateReader<T> reader) {
            try (DataInputStream in = checkpoint.openState()) {
                return reader.read(in);
            } catch (IOException e) {
                throw new UncheckedIOException("Failed to read the checkpoint of step " + checkpoint.step(), e);
            }
        }
    }

    /** Reads the checkpoint's files where they are, and compares them with their hashes on the way. */
    private record FromFiles(Position position, StoredState files) implements StateOrigin.Recipe {
        private static final long serialVersionUID = 1L;

        @Override
        public TrainState make(
                GradientModel model, OptimizerSpec optimizer, StateHome home, StateOrigin.Opening opening) {
            try (DataInputStream in = opening.open(files)) {
                return TrainState.read(in, optimizer, home);
            } catch (IOException | UncheckedIOException | BadInputException e) {
                throw new UnreachableStateException(
                        "cannot read the checkpoint of step %d here (%s)".formatted(position.version(), e), e);
            }
        }
    }

    private interface StateReader<T> {
        T read(DataInputStream in) throws IOException;
    }
}
