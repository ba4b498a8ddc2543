package org.sparkqlora.memory;

/**
 * The memory that a process of a cluster takes for the exchange of gradients, outside Java's heap: the parts of its tasks' gradients until a
 * step ends, and its share of the sums of the last steps, for replicas that are behind.
 *
 * @param vectorBytes of a gradient
 * @param tasks of a process at once
 * @param executors their number
 */
public record ExchangeMemory(long vectorBytes, int tasks, int executors) {
    /** Processes that keep a sum: who added it, and one of those that read it. */
    public static final int COPIES = 2;

    /** Steps that a replica replays. */
    public static final int MOST_STEPS = 16;

    /** Whoever is further behind takes a State, which is as much as three updates or less. */
    private static final int FEWEST_STEPS = 2;

    /** Of sums in a process, unless those of the fewest steps are more. */
    private static final long SUMS = 1L << 26;

    /** Steps whose sums stay. */
    public int keptSteps() {
        return (int) Math.max(FEWEST_STEPS, Math.min(MOST_STEPS, SUMS / Math.max(1, sumBytes())));
    }

    /** At the peak: of a step that is added, too. */
    public long bytes() {
        return vectorBytes * tasks + (keptSteps() + 1) * sumBytes();
    }

    private long sumBytes() {
        return (long) Math.min(COPIES, executors) * vectorBytes / executors;
    }
}
