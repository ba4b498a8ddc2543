package org.sparkqlora.train;

import org.bytedeco.pytorch.Device;
import org.jspecify.annotations.Nullable;
import org.sparkqlora.tensor.Hardware;
import org.sparkqlora.tensor.Natives;
import org.sparkqlora.tensor.cuda.AdamWOperations;
import org.sparkqlora.tensor.cuda.Gpu;
import org.sparkqlora.tensor.cuda.GpuAdamW;

/**
 * The device that a test trains on.
 *
 * @param hardware of the model
 * @param update moves parameters; null where the threads of a process do
 */
record TrainingDevice(Hardware.Source hardware, @Nullable GpuAdamW update) {
    static TrainingDevice processor() {
        return new TrainingDevice(Hardware::processor, null);
    }

    /** The processor used like a GPU: libtorch's operations in all places. */
    static TrainingDevice operations() {
        Natives.load();
        return new TrainingDevice(workers -> Hardware.operationsOnProcessor(), new AdamWOperations(new Device("cpu")));
    }

    static TrainingDevice gpu() {
        Gpu gpu = Gpu.open(0);
        return new TrainingDevice(workers -> gpu.hardware(), gpu.update());
    }
}
