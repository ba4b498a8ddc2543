package org.sparkqlora.train;

/** By libtorch's operations alone, as on a GPU without kernels of ours. */
class DeviceGoldenTrainingTest extends GoldenTrainingContract {
    @Override
    TrainingDevice device() {
        return TrainingDevice.operations();
    }
}
