package org.sparkqlora.weights;

import java.util.Optional;
import org.sparkqlora.input.BadInputException;
import org.sparkqlora.quant.FloatSource;
import org.sparkqlora.weights.family.ModelConfig;

/** New values for weights of a model. */
public interface ChangedWeights {
    /** Leaves every weight as it is. */
    ChangedWeights NONE = new ChangedWeights() {
        @Override
        public boolean has(String name) {
            return false;
        }

        @Override
        public FloatSource floats(String name) {
            throw new BadInputException("Cannot change weight %s: nothing changes".formatted(name));
        }
    };

    boolean has(String name);

    /** All numbers of the weight, row-major. */
    FloatSource floats(String name);

    /** The shape of the weight of a head that scores texts, which takes the place of the one that predicts tokens; empty where there is none. */
    default Optional<long[]> scoreHead() {
        return Optional.empty();
    }

    /** The config of {@code source} with the new values: it may get other tokens, or a head of its own. */
    default ModelConfig config(ModelConfig source) {
        return source;
    }
}
