package org.sparkqlora.spark.job;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.apache.spark.api.java.JavaSparkContext;
import org.sparkqlora.train.Trigger;
import org.sparkqlora.train.metrics.StepMetrics;

/**
 * Times the steps of two executors around checkpoints: {@code CheckpointBench MILLIONS MILLISECONDS sleep|busy}. A gradient of so many
 * million numbers takes so long, asleep, as where processors are to spare, or of processor time. Every fifth step leaves a checkpoint.
 */
final class CheckpointBench {
    private static final int SHARDS = 2;
    private static final int EVERY = 5;
    private static final int STEPS = Integer.getInteger("steps", 31);
    private static final int WARM_UP = 6;

    private CheckpointBench() {}

    public static void main(String[] arguments) throws IOException {
        StillRun run = new StillRun(
                Integer.parseInt(arguments[0]) * 1_000_000,
                Long.parseLong(arguments[1]),
                arguments[2].equals("busy"),
                SHARDS,
                STEPS);
        Path folder = Files.createTempDirectory("checkpoint-bench");
        try (JavaSparkContext context = StillRun.start(2, 5120)) {
            Times times = new Times();
            run.train(context, Trigger.every(EVERY), folder, times);
            print(times);
        }

        System.out.println(folder);
    }

    private static void print(StepTimes times) {
        for (int after = 1; after <= EVERY; after++) {
            int turn = (after - 1) % EVERY;
            double[] of = times.of(step -> step >= WARM_UP && step < STEPS - 1 && step % EVERY == turn);
            System.out.printf("%d after a checkpoint: median %.2f s of %d%n", after, of[of.length / 2], of.length);
        }
    }

    private static final class Times extends StepTimes {
        @Override
        public void stepDone(StepMetrics step) {
            System.out.printf("step %d: %.2f s%n", step.step(), sinceLast());
            super.stepDone(step);
        }

        @Override
        public void checkpointed(long step) {
            System.out.printf("checkpoint %d is whole, %.2f s after a step%n", step, sinceLast());
        }
    }
}
