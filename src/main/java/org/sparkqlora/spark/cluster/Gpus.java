package org.sparkqlora.spark.cluster;

import java.util.Comparator;
import java.util.Iterator;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.stream.IntStream;
import org.apache.spark.SparkConf;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.api.java.function.FlatMapFunction;
import org.sparkqlora.tensor.DeviceChoice;
import org.sparkqlora.tensor.cuda.ComputeCapability;
import org.sparkqlora.tensor.cuda.Gpu;

/** The GPUs that tasks would compute on. Driver only. */
public final class Gpus {
    private Gpus() {}

    /** The oldest generation among them; nothing without GPUs. One that cannot be opened does not count here: {@link org.sparkqlora.spark.check.ClusterCheck} tells why. */
    public static Optional<ComputeCapability> oldest(JavaSparkContext context, DeviceChoice device) {
        if (device == DeviceChoice.CPU || (device == DeviceChoice.AUTO && !givesGpus(context.getConf()))) {
            return Optional.empty();
        }

        int slots = TaskSlots.available(context);
        List<Integer> numbers = IntStream.range(0, slots).boxed().toList();
        context.setJobDescription(String.format(Locale.ROOT, "which GPUs: %d slots", slots));
        try {
            return ModelTasks.of(context.getConf())
                    .place(context.parallelize(numbers, slots))
                    .flatMap(new CardOfTask(device))
                    .collect()
                    .stream()
                    .min(Comparator.naturalOrder());
        } finally {
            context.setJobDescription(null);
        }
    }

    private static boolean givesGpus(SparkConf settings) {
        return settings.contains(ModelTasks.GPUS_OF_EXECUTOR) || settings.contains(ModelTasks.GPUS_OF_TASK);
    }

    /** The device that the task would compute on. Runs in a task. */
    private record CardOfTask(DeviceChoice device) implements FlatMapFunction<Integer, ComputeCapability> {
        @Override
        public Iterator<ComputeCapability> call(Integer slot) {
            OptionalInt gpu = device.gpu(TaskGpus.addresses());
            return gpu.stream()
                    .boxed()
                    .flatMap(number -> Gpu.capability(number).stream())
                    .iterator();
        }
    }
}
