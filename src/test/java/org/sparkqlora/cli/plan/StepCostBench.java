package org.sparkqlora.cli.plan;

import java.io.IOException;
import java.nio.file.Files;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.apache.spark.api.java.JavaSparkContext;
import org.jspecify.annotations.Nullable;
import org.sparkqlora.spark.job.Clusters;
import org.sparkqlora.spark.job.StillRun;
import org.sparkqlora.spark.speed.ClusterSpeed;
import org.sparkqlora.spark.speed.SpeedJobs;
import org.sparkqlora.train.GradientDtype;
import org.sparkqlora.train.Trigger;
import org.sparkqlora.train.metrics.ProgressReporter;
import org.sparkqlora.train.metrics.StepMetrics;

/**
 * Compares {@link CostModel} with steps on so many executors of one slot: {@code StepCostBench MILLISECONDS EXECUTORS,... MILLIONS...}, of a
 * gradient asleep, as where processors are to spare, and of numbers that train. The constants are those that {@code bench --cluster}
 * measures on the same executors; on one alone, those of the cluster before.
 */
final class StepCostBench {
    private static final int STEPS = 40;
    private static final int WARM_UP = 15;
    private static final double NANOS = 1e9;
    private static final double MILLIS = 1e3;

    private StepCostBench() {}

    public static void main(String[] arguments) throws IOException {
        long millis = Long.parseLong(arguments[0]);
        @Nullable ClusterSpeed speed = null;
        for (String number : arguments[1].split(",", -1)) {
            int executors = Integer.parseInt(number);
            try (JavaSparkContext context = start(executors)) {
                if (executors > 1) {
                    Clusters.awaitPlaces(executors);
                    speed = new SpeedJobs(context).measure();
                    System.out.println(speed);
                }

                for (String millions : List.of(arguments).subList(2, arguments.length)) {
                    compare(
                            context,
                            executors,
                            millis,
                            Integer.parseInt(millions) * 1_000_000,
                            Objects.requireNonNull(speed, "several executors come first"));
                }
            }
        }
    }

    private static JavaSparkContext start(int executors) {
        String memory = System.getProperty("executor.memory", "2048");
        return Clusters.start(
                "local-cluster[%d,1,%s]".formatted(executors, memory),
                Map.of(
                        "spark.executor.memory",
                        memory + "m",
                        "spark.locality.wait",
                        "10s",
                        "spark.executor.extraJavaOptions",
                        String.join(" ", Clusters.javaFlags())));
    }

    private static void compare(JavaSparkContext context, int executors, long millis, int numbers, ClusterSpeed speed)
            throws IOException {
        Times times = new Times();
        new StillRun(numbers, millis, false, executors, STEPS)
                .train(context, Trigger.every(0), Files.createTempDirectory("step-cost-bench"), times);
        CostConstants constants = CostConstants.DEFAULT.with(speed);
        StepCost cost = new CostModel(constants, constants.networkOf(speed.networkBytes()))
                .of(new StepShape(numbers, executors, executors, 1, GradientDtype.FP32), millis / MILLIS);
        System.out.printf(
                "%d executors, %d M numbers: %.2f s a step (%.2f to %.2f); the model says %.2f = %.2f compute + %.2f exchange + %.2f driver: %.2f%n",
                executors,
                numbers / 1_000_000,
                times.median(),
                times.of()[0],
                times.of()[times.of().length - 1],
                cost.total(),
                cost.compute(),
                cost.exchange(),
                cost.driver(),
                cost.total() / times.median());
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
            seconds.add((now - last) / NANOS);
            last = now;
        }

        /** After the warm-up, the shortest first. */
        double[] of() {
            double[] sorted = seconds.stream()
                    .skip(WARM_UP)
                    .mapToDouble(Double::doubleValue)
                    .toArray();
            Arrays.sort(sorted);
            return sorted;
        }

        double median() {
            return of()[of().length / 2];
        }
    }
}
