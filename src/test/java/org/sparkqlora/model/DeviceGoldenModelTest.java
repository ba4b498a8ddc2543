package org.sparkqlora.model;

import org.sparkqlora.quant.Workers;
import org.sparkqlora.tensor.Hardware;

/** By libtorch's operations alone, as on a GPU. */
class DeviceGoldenModelTest extends GoldenModelContract {
    @Override
    Hardware hardware(Workers workers) {
        return Hardware.operationsOnProcessor();
    }
}
