package org.sparkqlora.spark.speed;

import java.util.List;
import java.util.Locale;
import java.util.stream.IntStream;
import org.apache.spark.api.java.JavaSparkContext;
import org.sparkqlora.input.BadInputException;
import org.sparkqlora.spark.blocks.ExecutorPlace;

/**
 * Measures a cluster by some seconds of jobs on its executors, one task each, through the same blocks as gradients. Driver only.
 *
 * @param largeBlocks blocks of 16 MiB that an executor leaves in a round
 * @param driverTasks of a job that measures the driver
 */
public record SpeedJobs(JavaSparkContext context, int largeBlocks, int driverTasks) {
    /** 128 MiB: an executor with a heap of a gigabyte keeps them in memory. */
    private static final int LARGE_BLOCKS = 8;

    private static final int DRIVER_TASKS = 2000;

    private static final int LARGE = 1 << 22; // numbers of a part of a gradient
    private static final int SMALL = 16;
    private static final int SMALL_BLOCKS = 512;

    /** Rounds of each kind, the first of which warms up. */
    private static final int ROUNDS = 4;

    public SpeedJobs(JavaSparkContext context) {
        this(context, LARGE_BLOCKS, DRIVER_TASKS);
    }

    public ClusterSpeed measure() {
        requireSeveral(context.isLocal() ? 0 : Integer.MAX_VALUE);
        context.setJobDescription("bench: measure the cluster");
        try {
            DriverWork driver = new DriverWork(context, driverTasks);
            driver.warmUp();
            List<ExecutorPlace> executors = ExecutorPlace.all();
            requireSeveral(executors.size());
            BlockRound large = new BlockRound(context, largeBlocks, LARGE);
            BlockRound small = new BlockRound(context, SMALL_BLOCKS, SMALL);
            List<BlockRound.Told> ofLarge = rounds(large, executors);
            List<BlockRound.Told> ofSmall = rounds(small, executors);
            return new ClusterSpeed(
                    executors.size(),
                    large.bytes() / Median.of(ofLarge.stream().mapToDouble(BlockRound.Told::medianFetch)),
                    Median.of(ofLarge.stream().mapToDouble(told -> told.median(LeftBlocks::bytesPerSecond))),
                    large.bytes() / Median.of(ofLarge.stream().mapToDouble(BlockRound.Told::medianAddition)),
                    Median.of(ofSmall.stream().mapToDouble(SpeedJobs::secondsOfBlock)),
                    driver.secondsOfTask(),
                    driver.secondsOfStage(),
                    driver.secondsOfMessage(executors.size()));
        } finally {
            context.setJobDescription(null);
        }
    }

    private static double secondsOfBlock(BlockRound.Told told) {
        return told.median(LeftBlocks::secondsOfBlock) + told.medianFetch() / SMALL_BLOCKS;
    }

    private static List<BlockRound.Told> rounds(BlockRound round, List<ExecutorPlace> executors) {
        return IntStream.range(0, ROUNDS)
                .mapToObj(number -> round.run(executors))
                .skip(1)
                .toList();
    }

    private void requireSeveral(int executors) {
        if (executors < 2) {
            throw new BadInputException(String.format(
                    Locale.ROOT,
                    "Cannot measure a cluster: expected at least two executors on %s, found %d",
                    context.master(),
                    executors));
        }
    }
}
