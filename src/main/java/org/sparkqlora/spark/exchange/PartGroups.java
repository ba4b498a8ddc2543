package org.sparkqlora.spark.exchange;

import java.io.Serializable;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Objects;
import org.apache.spark.TaskContext;
import org.apache.spark.shuffle.FetchFailedException;
import org.jspecify.annotations.Nullable;
import org.sparkqlora.spark.blocks.BlockMemory;
import org.sparkqlora.spark.blocks.BlockStream;
import org.sparkqlora.spark.blocks.ExecutorBlocks;
import org.sparkqlora.spark.blocks.ExecutorBlocks.LostBlockException;
import org.sparkqlora.spark.blocks.ExecutorPlace;
import org.sparkqlora.tensor.FlatVector;
import org.sparkqlora.train.GradientDtype;
import org.sparkqlora.train.ShardResult;
import scala.Tuple2;

/**
 * Groups of neighbouring members whose parts are added: partition {@code group * parts + part} has a part of a group.
 *
 * @param layout of the vectors
 * @param dtype number format of the members' parts
 * @param members count of all
 * @param fanIn members of a group, but for the last
 */
record PartGroups(SliceLayout layout, GradientDtype dtype, int members, int fanIn) implements Serializable {
    int count() {
        return (members + fanIn - 1) / fanIn;
    }

    int partitions() {
        return Math.multiplyExact(count(), layout.parts());
    }

    int partitionOf(PartKey key) {
        return key.member() / fanIn * layout.parts() + key.part();
    }

    int groupOf(int partition) {
        return partition / layout.parts();
    }

    int partOf(int partition) {
        return partition % layout.parts();
    }

    /**
     * Adds the parts of all members of a partition's group, in the order of members. Beside the sum there are few parts at a time in memory.
     *
     * @param parts handles, as they come from the shuffle
     * @param shuffle its id, by which Spark finds who computes a lost part again
     * @param blocks where the parts are
     */
    Added add(int partition, Iterator<Tuple2<PartKey, GradientPart>> parts, int shuffle, ExecutorBlocks blocks)
            throws FetchFailedException {
        List<GradientPart> members = inOrder(partition, parts);
        List<ShardResult> facts =
                members.stream().flatMap(member -> member.facts().stream()).toList();
        if (members.stream().anyMatch(member -> member.handle() == null)) {
            return new Added(facts, null, List.of());
        }

        List<ExecutorBlocks.Handle> handles = members.stream()
                .map(member -> Objects.requireNonNull(member.handle()))
                .toList();
        BlockMemory memory = new BlockMemory(layout.sizeOfPart(partOf(partition)) * Float.BYTES);
        try (BlockStream stream = new BlockStream(blocks, handles)) {
            FlatVector sum = FlatVector.in(memory.bytes().asFloatBuffer());
            for (GradientPart member : members) {
                addNext(stream, member == members.get(0), sum, member, shuffle);
            }
        } catch (FetchFailedException | RuntimeException | Error e) {
            memory.close();
            throw e;
        }

        return new Added(
                facts,
                memory,
                handles.stream().map(handle -> handle.places().get(0)).toList());
    }

    private List<GradientPart> inOrder(int partition, Iterator<Tuple2<PartKey, GradientPart>> parts) {
        List<GradientPart> found = new ArrayList<>();
        int first = groupOf(partition) * fanIn;
        for (int member = first; member < Math.min(members, first + fanIn); member++) {
            found.add(next(parts, new PartKey(partOf(partition), member)));
        }

        return found;
    }

    private static GradientPart next(Iterator<Tuple2<PartKey, GradientPart>> parts, PartKey expected) {
        if (!parts.hasNext()) {
            throw new IllegalStateException("Cannot add parts: expected %s, found no more".formatted(expected));
        }

        Tuple2<PartKey, GradientPart> found = parts.next();
        if (!found._1().equals(expected)) {
            throw new IllegalStateException("Cannot add parts: expected %s, found %s".formatted(expected, found._1()));
        }

        return found._2();
    }

    private void addNext(BlockStream stream, boolean isFirst, FlatVector sum, GradientPart member, int shuffle)
            throws FetchFailedException {
        try {
            stream.next(bytes -> {
                if (isFirst) {
                    dtype.write(bytes, sum, 0);
                } else {
                    dtype.add(bytes, sum, 0);
                }
            });
        } catch (LostBlockException e) {
            throw computedAgain(member, shuffle, e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("Interrupted while fetching a gradient", e);
        }
    }

    /** What makes Spark run the task again that left a part which no executor has any more, and then this one. */
    private static FetchFailedException computedAgain(GradientPart part, int shuffle, LostBlockException loss) {
        return new FetchFailedException(
                Objects.requireNonNull(part.handle()).places().get(0).toBlockManager(),
                shuffle,
                part.task(),
                part.partition(),
                TaskContext.getPartitionId(),
                loss.getMessage(),
                loss);
    }

    /**
     * The outcome of adding.
     *
     * @param facts the results of shards, without their vectors
     * @param sum in float32, to be closed or put; null if a shard has no gradient
     * @param places who had the members' parts
     */
    record Added(List<ShardResult> facts, @Nullable BlockMemory sum, List<ExecutorPlace> places) {}
}
