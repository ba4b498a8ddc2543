package org.sparkqlora.spark.speed;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.function.Consumer;
import java.util.function.ToDoubleFunction;
import java.util.stream.IntStream;
import org.apache.spark.api.java.JavaRDD;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.api.java.function.Function;
import org.sparkqlora.input.BadInputException;
import org.sparkqlora.spark.blocks.BlockMemory;
import org.sparkqlora.spark.blocks.BlockStream;
import org.sparkqlora.spark.blocks.ExecutorBlocks;
import org.sparkqlora.spark.blocks.ExecutorPlace;
import org.sparkqlora.spark.blocks.PlacedTasks;
import org.sparkqlora.tensor.FlatVector;
import org.sparkqlora.train.GradientDtype;

/**
 * One task an executor leaves blocks, as the tasks of a step leave their gradients; then each takes those of another and its own. Driver
 * only.
 *
 * @param count of blocks that a task leaves
 * @param numbers in a block
 */
record BlockRound(JavaSparkContext context, int count, int numbers) {
    private static final GradientDtype DTYPE = GradientDtype.FP32;
    private static final double NANOS = 1e9;

    /**
     * The figures that the tasks told.
     *
     * @param left by each
     * @param fetched seconds of each for all blocks of another process
     * @param added seconds of each to add its own
     */
    record Told(List<LeftBlocks> left, List<Double> fetched, List<Double> added) {
        double median(ToDoubleFunction<LeftBlocks> part) {
            return Median.of(left.stream().mapToDouble(part));
        }

        double medianFetch() {
            return median(fetched);
        }

        double medianAddition() {
            return median(added);
        }

        private static double median(List<Double> seconds) {
            return Median.of(seconds.stream().mapToDouble(Double::doubleValue));
        }
    }

    Told run(List<ExecutorPlace> executors) {
        try (ExecutorBlocks blocks = ExecutorBlocks.open(context)) {
            List<LeftBlocks> left =
                    tasks(executors).map(new Leave(blocks, count, numbers)).collect();
            requireSeveral(left);
            return new Told(
                    left,
                    tasks(executors).map(new Fetch(blocks, left)).collect(),
                    tasks(executors).map(new Add(blocks, left, numbers)).collect());
        }
    }

    double bytes() {
        return (double) count * numbers * DTYPE.bytesOfValue();
    }

    private static void requireSeveral(List<LeftBlocks> left) {
        long places = left.stream().map(LeftBlocks::place).distinct().count();
        if (places < 2) {
            throw new BadInputException(
                    "Cannot measure a cluster: expected executors that run a task each at the same time, found that one ran all. Do other jobs run on them?");
        }
    }

    /** One on each executor, where that is free. */
    private JavaRDD<Integer> tasks(List<ExecutorPlace> executors) {
        List<Integer> numbers = IntStream.range(0, executors.size()).boxed().toList();
        return PlacedTasks.of(context, numbers, task -> List.of(executors.get(task)));
    }

    private static double secondsSince(long begin) {
        return (System.nanoTime() - begin) / NANOS;
    }

    /** Encodes a vector several times over and leaves it in this process. Runs in a task. */
    private record Leave(ExecutorBlocks blocks, int count, int numbers) implements Function<Integer, LeftBlocks> {
        @Override
        public LeftBlocks call(Integer task) {
            List<ExecutorBlocks.Handle> handles = new ArrayList<>();
            try (FlatVector vector = FlatVector.zeros(numbers)) {
                long begin = System.nanoTime();
                for (int i = 0; i < count; i++) {
                    String name = String.format(Locale.ROOT, "speed_%d_%d", task, i);
                    BlockMemory memory = new BlockMemory(numbers * DTYPE.bytesOfValue());
                    DTYPE.read(vector, 0, memory.bytes());
                    handles.add(blocks.put(name, memory));
                }

                return new LeftBlocks(ExecutorPlace.here(), handles, secondsSince(begin));
            }
        }
    }

    /** Fetches the blocks of the process behind this one, and does nothing with them. Runs in a task. */
    private record Fetch(ExecutorBlocks blocks, List<LeftBlocks> left) implements Function<Integer, Double> {
        @Override
        public Double call(Integer task) throws InterruptedException {
            return read(blocks, left.get(turned(left, 1)).handles(), bytes -> {});
        }
    }

    /** Adds the blocks of this process. Runs in a task. */
    private record Add(ExecutorBlocks blocks, List<LeftBlocks> left, int numbers) implements Function<Integer, Double> {
        @Override
        public Double call(Integer task) throws InterruptedException {
            try (FlatVector sum = FlatVector.zeros(numbers)) {
                return read(blocks, left.get(turned(left, 0)).handles(), bytes -> DTYPE.add(bytes, sum, 0));
            }
        }
    }

    private static double read(ExecutorBlocks blocks, List<ExecutorBlocks.Handle> handles, Consumer<ByteBuffer> reader)
            throws InterruptedException {
        long begin = System.nanoTime();
        try (BlockStream stream = new BlockStream(blocks, handles)) {
            for (int i = 0; i < handles.size(); i++) {
                stream.next(reader);
            }
        }

        return secondsSince(begin);
    }

    /** The task that left blocks in this process, or the first of so many processes behind it. */
    private static int turned(List<LeftBlocks> left, int behind) {
        List<ExecutorPlace> places =
                left.stream().map(LeftBlocks::place).distinct().toList();
        ExecutorPlace place = places.get((places.indexOf(ExecutorPlace.here()) + behind) % places.size());
        return left.stream().map(LeftBlocks::place).toList().indexOf(place);
    }
}
