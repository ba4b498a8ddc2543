package org.sparkqlora.spark.exchange;

import java.util.Iterator;
import java.util.stream.IntStream;
import org.apache.spark.api.java.function.PairFlatMapFunction;
import org.sparkqlora.train.GradientDtype;
import org.sparkqlora.train.ShardResult;
import scala.Tuple2;

/** Cuts a shard's gradient into slices, one at a time as the shuffle takes them. Runs in a task. */
final class CutGradient implements PairFlatMapFunction<ShardResult, SliceKey, GradientSlice> {
    private static final long serialVersionUID = 1L;
    private static final byte[] NOTHING = {};

    private final SliceLayout layout;
    private final GradientDtype wire;

    CutGradient(SliceLayout layout, GradientDtype wire) {
        this.layout = layout;
        this.wire = wire;
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
                        shard.withoutVector(), wire.read(shard.gradient(), layout.start(slice), layout.size(slice)))
                : new GradientSlice(result, NOTHING);
    }
}
