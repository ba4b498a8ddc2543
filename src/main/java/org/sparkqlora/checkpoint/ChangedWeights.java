package org.sparkqlora.checkpoint;

import org.sparkqlora.quant.FloatSource;

/** New values for weights of a model. */
public interface ChangedWeights {
    boolean has(String name);

    /** All numbers of the weight, row-major. */
    FloatSource floats(String name);
}
