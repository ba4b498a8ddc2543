package org.sparkqlora.cli;

/** On the processor. */
class StepBenchTest extends StepBenchContract {
    @Override
    String device() {
        return "cpu";
    }
}
