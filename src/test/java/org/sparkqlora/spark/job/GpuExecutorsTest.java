package org.sparkqlora.spark.job;

import org.sparkqlora.tensor.DeviceChoice;

/** With GPUs that a script makes up, while tasks compute on the processor. */
class GpuExecutorsTest extends GpuExecutorsContract {
    @Override
    int gpus() {
        return 2;
    }

    @Override
    DeviceChoice device() {
        return DeviceChoice.CPU;
    }
}
