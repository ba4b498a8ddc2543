package org.sparkqlora.model;

import org.sparkqlora.quant.Workers;
import org.sparkqlora.tensor.Hardware;

/** On the processor. */
class GoldenModelTest extends GoldenModelContract {
    @Override
    Hardware hardware(Workers workers) {
        return Hardware.processor(workers);
    }
}
