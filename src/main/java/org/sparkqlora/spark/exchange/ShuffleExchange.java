package org.sparkqlora.spark.exchange;

import java.io.Serializable;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.Iterator;
import java.util.List;
import java.util.stream.IntStream;
import org.apache.spark.Partitioner;
import org.apache.spark.api.java.JavaRDD;
import org.apache.spark.api.java.function.Function2;
import org.apache.spark.api.java.function.PairFlatMapFunction;
import org.sparkqlora.tensor.FlatVector;
import org.sparkqlora.train.GradientDtype;
import org.sparkqlora.train.ShardResult;
import org.sparkqlora.train.StepGradient;
import scala.Tuple2;

/**
 * Reduce-scatter by a shuffle: every task that computes cuts its gradient into slices, every task that adds gets its slices of
 * all shards, and the driver takes the sum in pieces, a bounded number of them at a time. So no process ever holds more than
 * one shard's vector and the sum, however many shards there are.
 *
 * <p>Slices of a lost executor are computed again: Spark runs the shards again whose slices cannot be fetched.
 */
public final class ShuffleExchange implements GradientExchange {
    /** Most bytes that wait on the driver to be put into the sum. */
    private static final long MOST_AT_ONCE = 1L << 28;

    private final GradientDtype dtype;
    private final SliceLayout layout;
    private final int partsAtOnce;

    /** @param resultLimit most bytes of a job's results */
    ShuffleExchange(GradientDtype dtype, SliceLayout layout, long resultLimit) {
        this.dtype = dtype;
        this.layout = layout;
        long most = Math.min(MOST_AT_ONCE, resultLimit) / layout.bytesOfPart();
        this.partsAtOnce = (int) Math.max(1, Math.min(layout.parts(), most));
    }

    @Override
    public StepGradient sum(JavaRDD<ShardResult> shards, long step) {
        int shardCount = shards.getNumPartitions();
        JavaRDD<SummedPart> parts = shards.flatMapToPair(new CutGradient(layout, dtype))
                .repartitionAndSortWithinPartitions(new SlicePartitioner(layout))
                .mapPartitionsWithIndex(new SumSlices(layout, dtype, shardCount), false);
        try {
            FlatVector sum = FlatVector.zeros(layout.length());
            List<ShardResult> facts = List.of();
            for (int from = 0; from < layout.parts(); from += partsAtOnce) {
                facts = take(parts, from, sum);
            }

            return StepGradient.sum(step, shardCount, facts).withGradient(sum);
        } finally {
            // Else its files would stay until the driver's garbage collector meets the last of these objects.
            parts.rdd().cleanShuffleDependencies(false);
        }
    }

    @Override
    public void close() {
        // It keeps nothing between steps.
    }

    /** Puts the parts from {@code from} on into the sum, and gives the facts of the shards. */
    private List<ShardResult> take(JavaRDD<SummedPart> parts, int from, FlatVector sum) {
        int[] numbers = IntStream.range(from, Math.min(layout.parts(), from + partsAtOnce))
                .toArray();
        List<SummedPart>[] taken = parts.collectPartitions(numbers);
        for (int i = 0; i < numbers.length; i++) {
            GradientDtype.FP32.write(taken[i].get(0).values(), sum, layout.startOfPart(numbers[i]));
        }

        return taken[0].get(0).facts();
    }

    /** Cuts a shard's gradient into slices, one at a time as the shuffle takes them. Runs in a task. */
    private static final class CutGradient implements PairFlatMapFunction<ShardResult, SliceKey, GradientSlice> {
        private static final long serialVersionUID = 1L;
        private static final byte[] NOTHING = {};

        private final SliceLayout layout;
        private final GradientDtype dtype;

        CutGradient(SliceLayout layout, GradientDtype dtype) {
            this.layout = layout;
            this.dtype = dtype;
        }

        @Override
        public Iterator<Tuple2<SliceKey, GradientSlice>> call(ShardResult result) {
            return IntStream.range(0, layout.slices())
                    .mapToObj(slice -> new Tuple2<>(new SliceKey(slice, result.shard()), slice(result, slice)))
                    .iterator();
        }

        private GradientSlice slice(ShardResult result, int slice) {
            return result instanceof ShardResult.Gradient shard
                    ? new GradientSlice(
                            shard.withoutVector(),
                            dtype.read(shard.gradient(), layout.start(slice), layout.size(slice)))
                    : new GradientSlice(result, NOTHING);
        }
    }

    /** Brings a slice of all shards to the task that adds it. */
    private static final class SlicePartitioner extends Partitioner {
        private static final long serialVersionUID = 1L;

        private final SliceLayout layout;

        SlicePartitioner(SliceLayout layout) {
            this.layout = layout;
        }

        @Override
        public int numPartitions() {
            return layout.parts();
        }

        @Override
        public int getPartition(Object key) {
            return layout.partOf(((SliceKey) key).slice());
        }

        @Override
        public boolean equals(Object other) {
            return other instanceof SlicePartitioner partitioner && partitioner.layout.equals(layout);
        }

        @Override
        public int hashCode() {
            return layout.hashCode();
        }
    }

    /**
     * Adds the slices of one part, which come sorted: slice by slice, each in shard order. Beside the part's sum it holds one
     * slice at a time; Spark's sorter spills what does not fit. Runs in a task.
     */
    private static final class SumSlices
            implements Function2<Integer, Iterator<Tuple2<SliceKey, GradientSlice>>, Iterator<SummedPart>> {
        private static final long serialVersionUID = 1L;

        private final SliceLayout layout;
        private final GradientDtype dtype;
        private final int shards;

        SumSlices(SliceLayout layout, GradientDtype dtype, int shards) {
            this.layout = layout;
            this.dtype = dtype;
            this.shards = shards;
        }

        @Override
        public Iterator<SummedPart> call(Integer part, Iterator<Tuple2<SliceKey, GradientSlice>> slices) {
            FlatVector sum = FlatVector.zeros(layout.sizeOfPart(part));
            List<ShardResult> facts = new ArrayList<>();
            boolean broken = false;
            for (int slice = layout.firstSlice(part); slice < layout.firstSlice(part + 1); slice++) {
                long from = layout.start(slice) - layout.startOfPart(part);
                facts.clear();
                for (int shard = 0; shard < shards; shard++) {
                    GradientSlice next = next(slices, slice, shard);
                    facts.add(next.facts());
                    broken |= !(next.facts() instanceof ShardResult.Gradient);
                    put(next.values(), sum, from, shard);
                }
            }

            byte[] values = broken ? new byte[0] : GradientDtype.FP32.read(sum, 0, Math.toIntExact(sum.length()));
            return List.of(new SummedPart(facts, values)).iterator();
        }

        private void put(byte[] values, FlatVector sum, long from, int shard) {
            if (shard == 0) {
                dtype.write(values, sum, from);
            } else {
                dtype.add(values, sum, from);
            }
        }

        private static GradientSlice next(Iterator<Tuple2<SliceKey, GradientSlice>> slices, int slice, int shard) {
            SliceKey expected = new SliceKey(slice, shard);
            if (!slices.hasNext()) {
                throw new IllegalStateException("Cannot add slices: expected %s, found no more".formatted(expected));
            }

            Tuple2<SliceKey, GradientSlice> found = slices.next();
            if (!found._1().equals(expected)) {
                throw new IllegalStateException(
                        "Cannot add slices: expected %s, found %s".formatted(expected, found._1()));
            }

            return found._2();
        }
    }

    /**
     * A slice of a shard's gradient. Sorted, all shards of a slice come together, in shard order.
     *
     * @param slice its number in the layout
     * @param shard whose it is
     */
    public record SliceKey(int slice, int shard) implements Comparable<SliceKey>, Serializable {
        private static final Comparator<SliceKey> ORDER =
                Comparator.comparingInt(SliceKey::slice).thenComparingInt(SliceKey::shard);

        @Override
        public int compareTo(SliceKey other) {
            return ORDER.compare(this, other);
        }
    }

    /**
     * A slice of a shard's gradient, with the facts of the shard.
     *
     * @param facts the shard's result without its vector
     * @param values the encoded slice; empty if the shard's loss is broken
     */
    public record GradientSlice(ShardResult facts, byte[] values) implements Serializable {}

    /**
     * One piece of the sum.
     *
     * @param facts the results of all shards without their vectors, in shard order
     * @param values float32 of {@link org.sparkqlora.train.GradientDtype#FP32}; none if a shard's loss is broken
     */
    public record SummedPart(List<ShardResult> facts, byte[] values) implements Serializable {
        public SummedPart {
            facts = List.copyOf(facts);
        }
    }
}
