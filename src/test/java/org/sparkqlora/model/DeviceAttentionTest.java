package org.sparkqlora.model;

import org.sparkqlora.tensor.Hardware;

/** By {@code scaled_dot_product_attention} on the processor. */
class DeviceAttentionTest extends DeviceAttentionContract {
    @Override
    Hardware device() {
        return Hardware.operationsOnProcessor();
    }
}
