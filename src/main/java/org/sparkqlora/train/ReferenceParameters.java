package org.sparkqlora.train;

import java.io.Serializable;
import org.sparkqlora.tensor.FlatVector;

/** The trained tensors of the model that answers are measured from, as any process can make them. Serialised to executors. */
public interface ReferenceParameters extends Serializable {
    /** Equal for the same values on the same model. */
    String key();

    /** The values for {@code model}. */
    FlatVector of(GradientModel model);

    /**
     * Those of a fresh run: adapters whose product is zero, or, beside what PiSSA or OLoRA left of a base, what they took out of it. So it is the
     * base as it was, whatever trains.
     */
    static ReferenceParameters base(long seed) {
        return new Base(seed);
    }

    /** @param seed of the run, which decides the numbers that are multiplied by zero */
    record Base(long seed) implements ReferenceParameters {
        @Override
        public String key() {
            return "base " + seed;
        }

        @Override
        public FlatVector of(GradientModel model) {
            return model.initialParameters(seed);
        }
    }
}
