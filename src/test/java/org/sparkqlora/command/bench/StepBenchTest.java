package org.sparkqlora.command.bench;

/** On the processor. */
class StepBenchTest extends StepBenchContract {
    @Override
    String device() {
        return "cpu";
    }
}
