package org.sparkqlora.spark.replica;

import java.util.Optional;
import org.apache.hadoop.conf.Configuration;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.broadcast.Broadcast;
import org.apache.spark.util.SerializableConfiguration;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.sparkqlora.optim.OptimizerSpec;
import org.sparkqlora.train.GradientModel;
import org.sparkqlora.train.Position;
import org.sparkqlora.train.StateHome;
import org.sparkqlora.train.StateOrigin;
import org.sparkqlora.train.TrainState;

/**
 * The State that executors begin with. Driver only.
 *
 * @param position of the State
 * @param snapshot the State, or how each of them makes it
 */
record FirstSnapshot(Position position, Snapshot snapshot) {
    private static final Logger LOG = LoggerFactory.getLogger(FirstSnapshot.class);

    /** The recipe of {@code origin}, if there is one. */
    static FirstSnapshot of(JavaSparkContext context, RunHandle run, StateOrigin origin) {
        return origin.recipe()
                .map(recipe -> new FirstSnapshot(recipe.position(), new ByRecipe(recipe, run.configuration())))
                .orElseGet(() -> sent(context, origin));
    }

    /** The State itself, which the driver has for as long as this takes. */
    private static FirstSnapshot sent(JavaSparkContext context, StateOrigin origin) {
        try (TrainState state = origin.read()) {
            return new FirstSnapshot(state.position(), BroadcastSnapshot.of(context, state));
        }
    }

    /**
     * The State in place of {@code last} that no executor could make, such as that of a checkpoint on the driver's own disk; empty where
     * {@code last} is none that they make.
     */
    static Optional<Snapshot> sentFor(@Nullable Snapshot last, JavaSparkContext context, StateOrigin origin) {
        if (!(last instanceof ByRecipe)) {
            return Optional.empty();
        }

        LOG.warn("Executors could not make the State of version {}, which the driver sends instead", last.version());
        return Optional.of(sent(context, origin).snapshot());
    }

    /** A State that no one sends. */
    private record ByRecipe(StateOrigin.Recipe recipe, Broadcast<SerializableConfiguration> hadoop)
            implements Snapshot {
        private static final long serialVersionUID = 1L;

        @Override
        public long version() {
            return recipe.position().version();
        }

        @Override
        public TrainState read(GradientModel model, OptimizerSpec optimizer, StateHome home) {
            Configuration configuration = hadoop.value().value();
            return recipe.make(model, optimizer, home, files -> files.open(configuration));
        }

        /** The run's configuration is not this one's to close. */
        @Override
        public void close() {}
    }
}
