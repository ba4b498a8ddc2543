package org.sparkqlora.spark.exchange;

import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import org.apache.spark.api.java.function.Function2;
import org.sparkqlora.tensor.FlatVector;
import org.sparkqlora.train.GradientDtype;
import org.sparkqlora.train.ShardResult;
import scala.Tuple2;

/**
 * Adds the slices of one part, which come sorted: slice by slice, each in shard order. Beside the part's sum it holds one
 * slice at a time; Spark's sorter spills what does not fit. Runs in a task.
 */
final class SumSlices implements Function2<Integer, Iterator<Tuple2<SliceKey, GradientSlice>>, Iterator<SummedPart>> {
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
            throw new IllegalStateException("Cannot add slices: expected %s, found %s".formatted(expected, found._1()));
        }

        return found._2();
    }
}
