package org.sparkqlora.train;

/** On the processor, whose rows Java reads. */
class GoldenTrainingTest extends GoldenTrainingContract {
    @Override
    TrainingDevice device() {
        return TrainingDevice.processor();
    }
}
