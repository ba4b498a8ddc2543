package org.sparkqlora.spark.job;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.apache.spark.api.java.JavaSparkContext;
import org.sparkqlora.train.Trigger;
import org.sparkqlora.train.metrics.ProgressReporter;
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
        String memory = System.getProperty("executor.memory", "5120");
        Path folder = Files.createTempDirectory("checkpoint-bench");
        try (JavaSparkContext context = Clusters.start(
                "local-cluster[2,1,%s]".formatted(memory),
                Map.of(
                        "spark.executor.memory",
                        memory + "m",
                        "spark.locality.wait",
                        "10s",
                        "spark.executor.extraJavaOptions",
                        String.join(" ", Clusters.javaFlags())))) {
            Times times = new Times();
            run.train(context, Trigger.every(EVERY), folder, times);
            times.print();
        }

        System.out.println(folder);
    }

    /** From the end of a step to the end of the next one. */
    private static final class Times implements ProgressReporter {
        private final List<Double> seconds = new ArrayList<>();
        private long last;

        @Override
        public void started(long doneSteps, long allSteps) {
            last = System.nanoTime();
        }

        @Override
        public void stepDone(StepMetrics step) {
            long now = System.nanoTime();
            seconds.add((now - last) / 1e9);
            last = now;
            System.out.printf("step %d: %.2f s%n", step.step(), seconds.get(seconds.size() - 1));
        }

        @Override
        public void checkpointed(long step) {
            System.out.printf("checkpoint %d is whole, %.2f s after a step%n", step, (System.nanoTime() - last) / 1e9);
        }

        private void print() {
            for (int after = 1; after <= EVERY; after++) {
                int turn = after % EVERY;
                double[] of = IntStream.range(WARM_UP, seconds.size() - 1)
                        .filter(step -> step % EVERY == turn - 1 + (turn == 0 ? EVERY : 0))
                        .mapToDouble(seconds::get)
                        .sorted()
                        .toArray();
                System.out.printf("%d after a checkpoint: median %.2f s of %d%n", after, of[of.length / 2], of.length);
            }
        }
    }
}
