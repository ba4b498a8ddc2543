package org.sparkqlora.spark.exchange;

import java.util.Iterator;
import java.util.List;
import java.util.stream.IntStream;
import org.apache.spark.Partitioner;
import org.apache.spark.api.java.JavaPairRDD;
import org.apache.spark.api.java.JavaRDD;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.api.java.function.Function2;
import org.apache.spark.api.java.function.PairFlatMapFunction;
import org.sparkqlora.spark.blocks.ExecutorBlocks;
import org.sparkqlora.spark.blocks.ExecutorPlace;
import org.sparkqlora.tensor.FlatVector;
import org.sparkqlora.train.GradientDtype;
import org.sparkqlora.train.GradientFormat;
import org.sparkqlora.train.ShardResult;
import org.sparkqlora.train.StepGradient;
import org.sparkqlora.train.Summation;
import org.sparkqlora.train.SummedGradient;
import scala.Tuple2;

/**
 * Reduce-scatter by shuffles: every task that computes cuts its gradient into slices; every task that adds gets its slices of up to 32
 * neighbouring shards, then of up to 32 neighbouring sums, until there is one sum. That stays with the executors that added it, each part
 * in two of them, and the driver gets only facts.
 *
 * <p>Slices of a lost executor are computed again: Spark runs the shards again whose slices cannot be fetched.
 */
public final class ShuffleExchange implements GradientExchange {
    private final GradientFormat format;
    private final SliceLayout layout;
    private final HeldSums sums;

    /** @param keptSteps steps whose sums stay, for replicas that are behind */
    ShuffleExchange(JavaSparkContext context, GradientFormat format, SliceLayout layout, int keptSteps) {
        this.format = format;
        this.layout = layout;
        this.sums = new HeldSums(ExecutorBlocks.open(context), layout, format, keptSteps);
    }

    @Override
    public StepGradient sum(JavaRDD<ShardResult> shards, long step) {
        Summation order = format.order();
        int members = shards.getNumPartitions();
        GradientDtype dtype = format.shard();
        JavaPairRDD<SliceKey, GradientSlice> slices = shards.flatMapToPair(new CutGradient(layout, dtype));
        while (members > order.fanIn()) {
            SliceGroups groups = new SliceGroups(layout, dtype, members, order.fanIn());
            slices = JavaPairRDD.fromJavaRDD(slices.repartitionAndSortWithinPartitions(new GroupPartitioner(groups))
                    .mapPartitionsWithIndex(new AddGroup(groups), false));
            members = groups.count();
            dtype = GradientDtype.FP32;
        }

        SliceGroups last = new SliceGroups(layout, dtype, members, members);
        JavaRDD<HeldSums.Part> parts = slices.repartitionAndSortWithinPartitions(new GroupPartitioner(last))
                .mapPartitionsWithIndex(new HoldPart(last, sums, step, ExecutorPlace.all()), false);
        try {
            List<HeldSums.Part> held = parts.collect();
            return StepGradient.of(step, shards.getNumPartitions(), held.get(0).facts(), () -> gradient(held));
        } finally {
            // Else its files would stay until the driver's garbage collector meets the last of these objects.
            parts.rdd().cleanShuffleDependencies(false);
        }
    }

    private SummedGradient gradient(List<HeldSums.Part> held) {
        HeldGradient gradient = sums.gradient(held);
        if (format.order() == Summation.TREE) {
            return gradient;
        }

        try (FlatVector vector = gradient.vector()) {
            return gradient.withSquares(format.order().squares(vector));
        }
    }

    /** The sums that executors hold go. */
    @Override
    public void close() {
        sums.close();
    }

    /** Cuts a shard's gradient into slices, one at a time as the shuffle takes them. Runs in a task. */
    private record CutGradient(SliceLayout layout, GradientDtype dtype)
            implements PairFlatMapFunction<ShardResult, SliceKey, GradientSlice> {
        private static final byte[] NOTHING = {};

        @Override
        public Iterator<Tuple2<SliceKey, GradientSlice>> call(ShardResult result) {
            return IntStream.range(0, layout.slices())
                    .mapToObj(slice -> new Tuple2<>(new SliceKey(slice, result.shard()), slice(result, slice)))
                    .iterator();
        }

        private GradientSlice slice(ShardResult result, int slice) {
            return result instanceof ShardResult.Gradient shard
                    ? GradientSlice.of(
                            slice,
                            List.of(shard.withoutVector()),
                            dtype.read(shard.gradient(), layout.start(slice), layout.size(slice)))
                    : GradientSlice.of(slice, List.of(result), NOTHING);
        }
    }

    /** Brings the slices of a part of a group to the task that adds them. */
    private static final class GroupPartitioner extends Partitioner {
        private static final long serialVersionUID = 1L;

        private final SliceGroups groups;

        GroupPartitioner(SliceGroups groups) {
            this.groups = groups;
        }

        @Override
        public int numPartitions() {
            return groups.partitions();
        }

        @Override
        public int getPartition(Object key) {
            return groups.partitionOf((SliceKey) key);
        }

        @Override
        public boolean equals(Object other) {
            return other instanceof GroupPartitioner partitioner && partitioner.groups.equals(groups);
        }

        @Override
        public int hashCode() {
            return groups.hashCode();
        }
    }

    /** Adds a part of a group, slice by slice, for the next stage. Runs in a task. */
    private record AddGroup(SliceGroups groups)
            implements Function2<
                    Integer, Iterator<Tuple2<SliceKey, GradientSlice>>, Iterator<Tuple2<SliceKey, GradientSlice>>> {
        @Override
        public Iterator<Tuple2<SliceKey, GradientSlice>> call(
                Integer partition, Iterator<Tuple2<SliceKey, GradientSlice>> slices) {
            return groups.slicesOf(partition)
                    .mapToObj(slice -> {
                        FlatVector sum = FlatVector.zeros(groups.layout().size(slice));
                        SliceGroups.Added added = groups.add(partition, slice, slices, sum, 0);
                        return new Tuple2<>(
                                new SliceKey(slice, groups.groupOf(partition)),
                                GradientSlice.of(slice, added.facts(), added.bytes(sum, GradientDtype.FP32)));
                    })
                    .iterator();
        }
    }

    /** Adds a part of the sum and leaves it in this process. Runs in a task. */
    private record HoldPart(SliceGroups groups, HeldSums sums, long step, List<ExecutorPlace> executors)
            implements Function2<Integer, Iterator<Tuple2<SliceKey, GradientSlice>>, Iterator<HeldSums.Part>> {
        @Override
        public Iterator<HeldSums.Part> call(Integer part, Iterator<Tuple2<SliceKey, GradientSlice>> slices) {
            SliceLayout layout = groups.layout();
            FlatVector sum = FlatVector.zeros(layout.sizeOfPart(part));
            SliceGroups.Added all = SliceGroups.Added.NOTHING;
            for (int slice = layout.firstSlice(part); slice < layout.firstSlice(part + 1); slice++) {
                all = all.and(groups.add(part, slice, slices, sum, layout.start(slice) - layout.startOfPart(part)));
            }

            return List.of(
                            all.isBroken()
                                    ? HeldSums.Part.broken(all.facts())
                                    : sums.hold(step, part, sum, all.facts(), executors))
                    .iterator();
        }
    }
}
