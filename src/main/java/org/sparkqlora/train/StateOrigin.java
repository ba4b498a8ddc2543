package org.sparkqlora.train;

import java.io.DataInputStream;
import java.io.IOException;
import java.io.Serializable;
import java.util.List;
import java.util.Optional;
import org.sparkqlora.checkpoint.StoredState;
import org.sparkqlora.model.layout.Precision;
import org.sparkqlora.optim.OptimizerPart;
import org.sparkqlora.optim.OptimizerSpec;
import org.sparkqlora.tensor.FlatVector;

/** The origin of the State that a run begins or goes on with. Until it is asked for, no process has it. */
@FunctionalInterface
public interface StateOrigin {
    /** The State in this process; the caller closes it. */
    TrainState read();

    /** By which other processes make the same State, bit for bit; empty where only this one can. */
    default Optional<Recipe> recipe() {
        return Optional.empty();
    }

    /** Makes the State in any process that opens the model. Serialised to executors. */
    interface Recipe extends Serializable {
        /** Of the State. */
        Position position();

        /**
         * The State, kept in {@code home}; the caller closes it.
         *
         * @param opening of files, as this process sees them
         * @throws UnreachableStateException where this process does not find what the State is made of
         */
        TrainState make(GradientModel model, OptimizerSpec optimizer, StateHome home, Opening opening);

        /**
         * Hands {@code parts} of the State to {@code sink}, in their order, of which no more than the parameters is in memory.
         *
         * @param opening of files, as this process sees them
         * @throws UnreachableStateException where this process does not find what the State is made of, perhaps after all parts
         */
        void makeParts(
                List<OptimizerPart> parts,
                GradientModel model,
                StateHome home,
                Opening opening,
                OptimizerPart.Sink sink)
                throws IOException;
    }

    /** Opens the state of a checkpoint. */
    @FunctionalInterface
    interface Opening {
        DataInputStream open(StoredState files) throws IOException;
    }

    /**
     * State(0) by the model's own first values, of which libtorch computes none: its last bits depend on the processor.
     *
     * @param seed of the run
     * @param precision that the model computes in
     */
    record FirstValues(long seed, Precision precision) implements Recipe {
        private static final long serialVersionUID = 1L;

        @Override
        public Position position() {
            return Position.first(precision);
        }

        @Override
        public TrainState make(GradientModel model, OptimizerSpec optimizer, StateHome home, Opening opening) {
            FlatVector values = model.initialParameters(seed, length -> home.zeros(optimizer, length));
            return TrainState.fresh(values, model.parameters(), optimizer, seed, home)
                    .in(precision);
        }

        /** The optimiser has no state yet but zeros. */
        @Override
        public void makeParts(
                List<OptimizerPart> parts,
                GradientModel model,
                StateHome home,
                Opening opening,
                OptimizerPart.Sink sink)
                throws IOException {
            OptimizerSpec optimizer = parts.get(0).spec();
            try (FlatVector values = model.initialParameters(seed, length -> home.zeros(optimizer, length))) {
                for (OptimizerPart part : parts) {
                    sink.parameters(part, parameters -> parameters.setFrom(values, part.from()));
                    sink.state(part, state -> {});
                }
            }
        }
    }
}
