package org.sparkqlora.train;

import org.junit.jupiter.api.Tag;

/** On a GPU. */
@Tag("gpu")
class GpuFloat16TrainingTest extends Float16TrainingContract {
    @Override
    TrainingDevice device() {
        return TrainingDevice.gpu();
    }
}
