package org.sparkqlora.cli.bench;

/** On the processor. */
class StepBenchTest extends StepBenchContract {
    @Override
    String device() {
        return "cpu";
    }
}
