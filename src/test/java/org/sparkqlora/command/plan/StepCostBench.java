package org.sparkqlora.command.plan;

import java.io.IOException;
import java.nio.file.Files;
import java.util.List;
import java.util.Objects;
import org.apache.spark.api.java.JavaSparkContext;
import org.jspecify.annotations.Nullable;
import org.sparkqlora.spark.job.Clusters;
import org.sparkqlora.spark.job.StepTimes;
import org.sparkqlora.spark.job.StillRun;
import org.sparkqlora.spark.speed.ClusterSpeed;
import org.sparkqlora.spark.speed.SpeedJobs;
import org.sparkqlora.train.GradientDtype;
import org.sparkqlora.train.Trigger;

/**
 * Compares {@link CostModel} with steps on so many executors of one slot: {@code StepCostBench MILLISECONDS EXECUTORS,... MILLIONS...}, of a
 * gradient asleep, as where processors are to spare, and of numbers that train. The constants are those that {@code bench --cluster}
 * measures on the same executors; on one alone, those of the cluster before.
 */
final class StepCostBench {
    private static final int STEPS = 40;
    private static final int WARM_UP = 15;
    private static final double MILLIS = 1e3;

    private StepCostBench() {}

    public static void main(String[] arguments) throws IOException {
        long millis = Long.parseLong(arguments[0]);
        @Nullable ClusterSpeed speed = null;
        for (String number : arguments[1].split(",", -1)) {
            int executors = Integer.parseInt(number);
            try (JavaSparkContext context = StillRun.start(executors, 2048)) {
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

    private static void compare(JavaSparkContext context, int executors, long millis, int numbers, ClusterSpeed speed)
            throws IOException {
        StepTimes times = new StepTimes();
        new StillRun(numbers, millis, false, executors, STEPS)
                .train(context, Trigger.every(0), Files.createTempDirectory("step-cost-bench"), times);
        CostConstants constants = CostConstants.DEFAULT.with(speed);
        CostModel.StepCost cost = new CostModel(constants, constants.networkOf(speed.networkBytes()))
                .of(new StepShape(numbers, executors, executors, 1, GradientDtype.FP32, false), millis / MILLIS);
        double[] taken = times.of(step -> step >= WARM_UP);
        double median = taken[taken.length / 2];
        System.out.printf(
                "%d executors, %d M numbers: %.2f s a step (%.2f to %.2f); the model says %.2f = %.2f compute + %.2f exchange + %.2f driver: %.2f%n",
                executors,
                numbers / 1_000_000,
                median,
                taken[0],
                taken[taken.length - 1],
                cost.total(),
                cost.compute(),
                cost.exchange(),
                cost.driver(),
                cost.total() / median);
    }
}
