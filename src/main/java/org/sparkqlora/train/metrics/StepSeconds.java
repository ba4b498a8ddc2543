package org.sparkqlora.train.metrics;

import java.util.List;

/**
 * Seconds of a step by cause; they add up to the step's wall-clock time on the driver.
 *
 * @param tasks of gradient tasks, those that ran at once counted once
 * @param exchange moving and adding gradients, and all that Spark does for a job
 * @param update norm, clipping and optimiser on the driver, and handing the update out
 */
public record StepSeconds(PhaseSeconds tasks, double exchange, double update) {
    public static final StepSeconds ZERO = new StepSeconds(PhaseSeconds.ZERO, 0, 0);

    /**
     * Of a step whose tasks and exchange took {@code seconds} together. Tasks take as long as the slowest, or as all do in
     * turns where they are more than slots; the phases share that time as they do over all tasks.
     *
     * @param shards the tasks
     * @param atOnce most of them that run at once
     */
    public static StepSeconds of(List<PhaseSeconds> shards, double seconds, int atOnce) {
        PhaseSeconds all = shards.stream().reduce(PhaseSeconds.ZERO, PhaseSeconds::plus);
        double slowest = shards.stream().mapToDouble(PhaseSeconds::total).max().orElse(0);
        double busy = Math.min(seconds, Math.max(slowest, all.total() / atOnce));
        double share = all.total() == 0 ? 0 : busy / all.total();
        return new StepSeconds(all.times(share), seconds - busy, 0);
    }

    public StepSeconds withUpdate(double seconds) {
        return new StepSeconds(tasks, exchange, seconds);
    }

    public double total() {
        return tasks.total() + exchange + update;
    }

    /** All but loading, reading and computing: the overhead of distribution. */
    public double spark() {
        return total() - tasks.computing() - tasks.reading() - tasks.loading();
    }
}
