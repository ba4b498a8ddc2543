package org.sparkqlora.spark.replica;

import java.lang.management.ManagementFactory;
import org.apache.spark.api.java.JavaSparkContext;
import org.sparkqlora.model.layout.ParameterIndex;
import org.sparkqlora.optim.OptimizerKind;
import org.sparkqlora.optim.OptimizerSpec;
import org.sparkqlora.quant.Workers;
import org.sparkqlora.spark.blocks.ExecutorBlocks;
import org.sparkqlora.spark.job.Clusters;
import org.sparkqlora.tensor.FlatVector;
import org.sparkqlora.train.StateHome;
import org.sparkqlora.train.TrainState;

/**
 * The processor time in which a task leaves its part of a State for a checkpoint, by hand: {@code StateLeavingBench MILLIONS WRITERS}, for
 * so many million parameters with AdamW's state.
 */
final class StateLeavingBench {
    private static final int ROUNDS = 7;

    private StateLeavingBench() {}

    public static void main(String[] arguments) {
        int numbers = Integer.parseInt(arguments[0]) * 1_000_000;
        try (JavaSparkContext context = Clusters.start(Clusters.ONE_SLOT);
                Workers workers = new Workers(1);
                TrainState state = state(numbers, workers)) {
            for (int round = 0; round < ROUNDS; round++) {
                leave(context, state, Integer.parseInt(arguments[1]));
            }
        }
    }

    private static TrainState state(int numbers, Workers workers) {
        ParameterIndex.Builder index = ParameterIndex.builder();
        index.add("weight", numbers);
        return TrainState.fresh(
                FlatVector.zeros(numbers),
                index.build(),
                new OptimizerSpec(OptimizerKind.ADAMW, 0.9, 0.999, 1e-8, 0.01),
                1,
                StateHome.inMemory(workers));
    }

    private static void leave(JavaSparkContext context, TrainState state, int writers) {
        try (ExecutorBlocks blocks = ExecutorBlocks.open(context)) {
            long begin = ManagementFactory.getThreadMXBean().getCurrentThreadCpuTime();
            long bytes = StateBlocks.Piece.write(state, blocks, 0, writers).stream()
                    .mapToLong(piece -> piece.handle().length())
                    .sum();
            long nanos = ManagementFactory.getThreadMXBean().getCurrentThreadCpuTime() - begin;
            System.out.printf("%d MB in %.3f s of processor time%n", bytes / 1_000_000, nanos / 1e9);
        }
    }
}
