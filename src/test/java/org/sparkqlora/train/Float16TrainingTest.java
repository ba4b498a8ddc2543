package org.sparkqlora.train;

/** On the processor, by operations. */
class Float16TrainingTest extends Float16TrainingContract {
    @Override
    TrainingDevice device() {
        return TrainingDevice.operations();
    }
}
