package org.sparkqlora.spark.exchange;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Iterator;
import java.util.List;
import java.util.Locale;
import java.util.stream.IntStream;
import org.apache.spark.Partitioner;
import org.apache.spark.ShuffleDependency;
import org.apache.spark.api.java.JavaPairRDD;
import org.apache.spark.api.java.JavaRDD;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.api.java.function.Function2;
import org.apache.spark.api.java.function.PairFlatMapFunction;
import org.apache.spark.shuffle.FetchFailedException;
import org.jspecify.annotations.Nullable;
import org.sparkqlora.memory.ExchangeMemory;
import org.sparkqlora.spark.blocks.BlockMemory;
import org.sparkqlora.spark.blocks.ExecutorBlocks;
import org.sparkqlora.spark.blocks.ExecutorPlace;
import org.sparkqlora.spark.cluster.ProcessSerializer;
import org.sparkqlora.tensor.FlatVector;
import org.sparkqlora.train.GradientDtype;
import org.sparkqlora.train.GradientFormat;
import org.sparkqlora.train.ShardResult;
import org.sparkqlora.train.StepGradient;
import org.sparkqlora.train.Summation;
import org.sparkqlora.train.SummedGradient;
import scala.Tuple2;

/**
 * Reduce-scatter by shuffles of handles: every task that computes leaves its gradient in parts as blocks of its process; every task that
 * adds fetches a part of up to 32 neighbouring shards, then of up to 32 neighbouring sums, until there is one sum. That stays with the
 * executors that added it, each part in several of them, and the driver gets only facts.
 *
 * <p>Parts of a lost executor are computed again: Spark runs the shards again whose parts cannot be fetched.
 */
public final class ShuffleExchange implements GradientExchange {
    /** Steps after which no task of a step still runs that another one had overtaken. */
    private static final int LATE_STEPS = 4;

    /** This step, and the one before it: Spark may still be removing its blocks, and fails where a second removal meets that. */
    private static final int NOT_FORGOTTEN = 2;

    private final JavaSparkContext context;
    private final GradientFormat format;
    private final SliceLayout layout;
    private final HeldSums sums;

    /** Of the blocks of the last steps and of this one. */
    private final Deque<Long> owners = new ArrayDeque<>();

    /**
     * @param keptSteps steps whose sums stay, for replicas that are behind
     * @param tail numbers at the end of a part of a sum that its handle has, too
     */
    ShuffleExchange(JavaSparkContext context, GradientFormat format, SliceLayout layout, int keptSteps, int tail) {
        this.context = context;
        this.format = format;
        this.layout = layout;
        int copies = ExchangeMemory.copies(ExecutorPlace.all().size());
        this.sums = new HeldSums(ExecutorBlocks.open(context), layout, format, keptSteps, copies, tail);
    }

    @Override
    public StepGradient sum(JavaRDD<ShardResult> shards, long step) {
        try (ExecutorBlocks blocks = ExecutorBlocks.open(context)) {
            owners.add(blocks.owner());
            if (owners.size() > LATE_STEPS + NOT_FORGOTTEN) {
                owners.remove();
            }

            return sum(shards, step, blocks);
        }
    }

    private StepGradient sum(JavaRDD<ShardResult> shards, long step, ExecutorBlocks blocks) {
        Summation order = format.order();
        int members = shards.getNumPartitions();
        GradientDtype dtype = format.shard();
        JavaPairRDD<PartKey, GradientPart> parts =
                shards.flatMapToPair(new LeaveGradient(layout, dtype, blocks, overtaken()));
        while (members > order.fanIn()) {
            PartGroups groups = new PartGroups(layout, dtype, members, order.fanIn());
            JavaPairRDD<PartKey, GradientPart> sent =
                    ProcessSerializer.of(parts.repartitionAndSortWithinPartitions(new GroupPartitioner(groups)));
            parts = JavaPairRDD.fromJavaRDD(
                    sent.mapPartitionsWithIndex(new AddGroup(groups, blocks, shuffleOf(sent)), false));
            members = groups.count();
            dtype = GradientDtype.FP32;
        }

        PartGroups last = new PartGroups(layout, dtype, members, members);
        JavaPairRDD<PartKey, GradientPart> sent =
                ProcessSerializer.of(parts.repartitionAndSortWithinPartitions(new GroupPartitioner(last)));
        JavaRDD<HeldSums.Part> sum =
                sent.mapPartitionsWithIndex(new HoldPart(last, blocks, shuffleOf(sent), sums, step), false);
        try {
            List<HeldSums.Part> held = sum.collect();
            return StepGradient.of(step, shards.getNumPartitions(), held.get(0).facts(), () -> gradient(step, held));
        } finally {
            // Else its files would stay until the driver's garbage collector meets the last of these objects.
            sum.rdd().cleanShuffleDependencies(false);
        }
    }

    private List<Long> overtaken() {
        return owners.stream().limit(Math.max(0, owners.size() - NOT_FORGOTTEN)).toList();
    }

    private static int shuffleOf(JavaPairRDD<PartKey, GradientPart> sent) {
        return ((ShuffleDependency<?, ?, ?>) sent.rdd().dependencies().head()).shuffleId();
    }

    private SummedGradient gradient(long step, List<HeldSums.Part> held) {
        HeldGradient gradient = sums.gradient(step, held);
        if (format.order() == Summation.TREE) {
            return gradient;
        }

        try (FlatVector vector = gradient.vector()) {
            return gradient.withSquares(format.order().squares(vector));
        }
    }

    @Override
    public long[] partStarts() {
        return IntStream.range(0, layout.parts()).mapToLong(layout::startOfPart).toArray();
    }

    /** The sums that executors hold go. */
    @Override
    public void close() {
        sums.close();
    }

    /**
     * Leaves a shard's gradient in this process, in parts. Runs in a task.
     *
     * @param closed owners of blocks of steps before, of which tasks that came too late may have left some
     */
    private record LeaveGradient(SliceLayout layout, GradientDtype dtype, ExecutorBlocks blocks, List<Long> closed)
            implements PairFlatMapFunction<ShardResult, PartKey, GradientPart> {
        @Override
        public Iterator<Tuple2<PartKey, GradientPart>> call(ShardResult result) {
            closed.forEach(ExecutorBlocks::forgetAll);
            List<Tuple2<PartKey, GradientPart>> parts = IntStream.range(0, layout.parts())
                    .mapToObj(part -> new Tuple2<>(new PartKey(part, result.shard()), part(result, part)))
                    .toList();
            if (result instanceof ShardResult.Gradient shard) {
                shard.gradient().close();
            }

            return parts.iterator();
        }

        private GradientPart part(ShardResult result, int part) {
            if (!(result instanceof ShardResult.Gradient shard)) {
                return GradientPart.of(part, List.of(result), null);
            }

            BlockMemory memory = new BlockMemory(layout.sizeOfPart(part) * dtype.bytesOfValue());
            dtype.read(shard.gradient(), layout.startOfPart(part), memory.bytes());
            String name = String.format(Locale.ROOT, "shard_%d_%d", shard.shard(), part);
            return GradientPart.of(part, List.of(shard.withoutVector()), blocks.put(name, memory));
        }
    }

    /** Brings the handles of a part of a group to the task that adds them. */
    private static final class GroupPartitioner extends Partitioner {
        private static final long serialVersionUID = 1L;

        private final PartGroups groups;

        GroupPartitioner(PartGroups groups) {
            this.groups = groups;
        }

        @Override
        public int numPartitions() {
            return groups.partitions();
        }

        @Override
        public int getPartition(Object key) {
            return groups.partitionOf((PartKey) key);
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

    /** Adds a part of a group, for the next stage. Runs in a task. */
    private record AddGroup(PartGroups groups, ExecutorBlocks blocks, int shuffle)
            implements Function2<
                    Integer, Iterator<Tuple2<PartKey, GradientPart>>, Iterator<Tuple2<PartKey, GradientPart>>> {
        @Override
        public Iterator<Tuple2<PartKey, GradientPart>> call(
                Integer partition, Iterator<Tuple2<PartKey, GradientPart>> parts) throws FetchFailedException {
            PartGroups.Added added = groups.add(partition, parts, shuffle, blocks);
            PartKey key = new PartKey(groups.partOf(partition), groups.groupOf(partition));
            return List.of(new Tuple2<>(key, GradientPart.of(key.part(), added.facts(), left(key, added.sum()))))
                    .iterator();
        }

        private ExecutorBlocks.@Nullable Handle left(PartKey key, @Nullable BlockMemory sum) {
            if (sum == null) {
                return null;
            }

            String name = String.format(Locale.ROOT, "group_%d_%d_%d", groups.members(), key.member(), key.part());
            return blocks.put(name, sum);
        }
    }

    /** Adds a part of the sum and leaves it in this process. Runs in a task. */
    private record HoldPart(PartGroups groups, ExecutorBlocks blocks, int shuffle, HeldSums sums, long step)
            implements Function2<Integer, Iterator<Tuple2<PartKey, GradientPart>>, Iterator<HeldSums.Part>> {
        @Override
        public Iterator<HeldSums.Part> call(Integer part, Iterator<Tuple2<PartKey, GradientPart>> parts)
                throws FetchFailedException {
            PartGroups.Added added = groups.add(part, parts, shuffle, blocks);
            return List.of(sums.hold(step, part, added)).iterator();
        }
    }
}
