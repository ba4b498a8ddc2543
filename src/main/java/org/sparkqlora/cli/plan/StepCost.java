package org.sparkqlora.cli.plan;

/**
 * Seconds of a step.
 *
 * @param compute of the task that computes longest
 * @param exchange from its gradient to the weights of the next step: writing, adding, taking the sums and applying them
 * @param driver scheduling and messages
 */
record StepCost(double compute, double exchange, double driver) {
    double total() {
        return compute + exchange + driver;
    }

    /** The work done beside that of executors that only compute. */
    double shareOfIdeal() {
        return compute / total();
    }
}
