package org.sparkqlora.spark.exchange;

import java.io.Serializable;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.stream.IntStream;
import org.sparkqlora.tensor.FlatVector;
import org.sparkqlora.train.GradientDtype;
import org.sparkqlora.train.ShardResult;
import scala.Tuple2;

/**
 * Groups of neighbouring members whose slices are added: partition {@code group * parts + part} has a part of a group.
 *
 * @param layout of the vectors
 * @param dtype number format of the members' slices
 * @param members count of all
 * @param fanIn members of a group, but for the last
 */
record SliceGroups(SliceLayout layout, GradientDtype dtype, int members, int fanIn) implements Serializable {
    int count() {
        return (members + fanIn - 1) / fanIn;
    }

    int partitions() {
        return Math.multiplyExact(count(), layout.parts());
    }

    int partitionOf(SliceKey key) {
        return key.member() / fanIn * layout.parts() + layout.partOf(key.slice());
    }

    int groupOf(int partition) {
        return partition / layout.parts();
    }

    IntStream slicesOf(int partition) {
        int part = partition % layout.parts();
        return IntStream.range(layout.firstSlice(part), layout.firstSlice(part + 1));
    }

    /**
     * Adds one slice of all members of a partition's group, which come sorted: slice by slice, each in the order of members. Beside the sum
     * there is one member's slice at a time; Spark's sorter spills what does not fit.
     *
     * @param sum to be filled from {@code at} on
     */
    Added add(int partition, int slice, Iterator<Tuple2<SliceKey, GradientSlice>> slices, FlatVector sum, long at) {
        int first = groupOf(partition) * fanIn;
        List<ShardResult> facts = new ArrayList<>();
        boolean isBroken = false;
        for (int member = first; member < Math.min(members, first + fanIn); member++) {
            GradientSlice next = next(slices, new SliceKey(slice, member));
            facts.addAll(next.facts());
            isBroken |= next.values().length == 0 && layout.size(slice) > 0;
            if (member == first) {
                dtype.write(next.values(), sum, at);
            } else {
                dtype.add(next.values(), sum, at);
            }
        }

        return new Added(facts, isBroken);
    }

    private static GradientSlice next(Iterator<Tuple2<SliceKey, GradientSlice>> slices, SliceKey expected) {
        if (!slices.hasNext()) {
            throw new IllegalStateException("Cannot add slices: expected %s, found no more".formatted(expected));
        }

        Tuple2<SliceKey, GradientSlice> found = slices.next();
        if (!found._1().equals(expected)) {
            throw new IllegalStateException("Cannot add slices: expected %s, found %s".formatted(expected, found._1()));
        }

        return found._2();
    }

    /**
     * What was learnt while adding.
     *
     * @param facts the results of shards, without their vectors
     * @param isBroken whether a shard has no gradient
     */
    record Added(List<ShardResult> facts, boolean isBroken) {
        static final Added NOTHING = new Added(List.of(), false);

        Added and(Added other) {
            List<ShardResult> all = new ArrayList<>(facts);
            all.addAll(other.facts);
            return new Added(all, isBroken || other.isBroken);
        }

        /** {@code sum} encoded; nothing if it is broken. */
        byte[] bytes(FlatVector sum, GradientDtype dtype) {
            return isBroken ? new byte[0] : dtype.read(sum, 0, Math.toIntExact(sum.length()));
        }
    }
}
