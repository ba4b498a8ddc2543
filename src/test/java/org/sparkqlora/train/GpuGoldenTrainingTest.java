package org.sparkqlora.train;

import org.junit.jupiter.api.Tag;

/** On a GPU. */
@Tag("gpu")
class GpuGoldenTrainingTest extends GoldenTrainingContract {
    @Override
    TrainingDevice device() {
        return TrainingDevice.gpu();
    }
}
