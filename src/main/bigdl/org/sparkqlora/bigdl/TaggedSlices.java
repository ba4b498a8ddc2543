package org.sparkqlora.bigdl;

import com.intel.analytics.bigdl.dllib.optim.parameters.AllReduceParameter;
import com.intel.analytics.bigdl.dllib.tensor.Tensor;
import java.io.Serializable;
import java.util.Locale;
import java.util.UUID;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.apache.spark.SparkEnv;
import org.apache.spark.sparkExtension.SparkExtension$;
import org.apache.spark.storage.BlockId;
import org.apache.spark.storage.BlockManager;
import org.apache.spark.storage.BlockManagerMaster;
import org.sparkqlora.tensor.FlatVector;
import scala.Option;

/**
 * One reduce-scatter of the gradients of {@code shards} by BigDL's AllReduceParameter: every shard's vector is cut into as many
 * slices as there are shards, which stay as blocks with the executor that made them; for each slice one task fetches all
 * shards' and adds them in shard order.
 *
 * <p>BigDL forgets a slice that could not be stored, fetched or added, and gives the sum of the others. So each slice carries
 * a one before its first value and behind its last; in a whole sum both have become the number of shards. Blocks have names
 * that no other reduction has, so a stale one is never met, wherever tasks run.
 */
final class TaggedSlices implements Serializable {
    private static final long serialVersionUID = 1L;
    private static final float TAG = 1f;
    private static final int TAGS = 2;
    private static final String SUM = "gradients";

    private final long id;
    private final int shards;
    private final int length;
    private final AllReduceParameter<Object> parameter;

    private TaggedSlices(long id, int shards, int length) {
        this.id = id;
        this.shards = shards;
        this.length = length;
        this.parameter = new AllReduceParameter<>(
                id, shards, shards * sizeOfSlice(), 1, "none", FloatTensors.tag(), FloatTensors.arithmetic());
    }

    /**
     * Driver only: a reduction that was never used.
     *
     * @param length elements of a gradient; {@link #fits} says whether it may be this long
     */
    static TaggedSlices fresh(int shards, long length) {
        long id = UUID.randomUUID().getMostSignificantBits() & Long.MAX_VALUE;
        return new TaggedSlices(id, shards, Math.toIntExact(length));
    }

    /** Whether BigDL's Java array holds all slices of a gradient. */
    static boolean fits(int shards, long length) {
        return (length / shards + 1 + TAGS) * shards <= Integer.MAX_VALUE;
    }

    /** Runs in the task of a shard: leaves its slices in this executor's memory. */
    void put(int shard, FlatVector gradient) {
        BigDlEngine.startForAdding();
        float[] tagged = new float[shards * sizeOfSlice()];
        for (int slice = 0; slice < shards; slice++) {
            int at = slice * sizeOfSlice();
            tagged[at] = TAG;
            gradient.read(start(slice), tagged, at + 1, start(slice + 1) - start(slice));
            tagged[at + sizeOfSlice() - 1] = TAG;
        }

        // Into blocks that an earlier attempt left here BigDL would write with a lock that it never gives back.
        slicesOf(shard).forEach(block -> blocks().removeBlock(block, true));
        parameter.putGradients(FloatTensors.of(tagged));
    }

    /**
     * Runs in the task of a slice: its sum with its tags, to be read by {@link #write}; empty where BigDL found no block of a
     * shard.
     */
    float[] reduce(int slice) {
        BigDlEngine.startForAdding();
        parameter.init(FloatTensors.of(new float[shards * sizeOfSlice()]), FloatTensors.arithmetic());
        Tensor<Object> sum = parameter.gradientPartition(); // from here on BigDL holds the lock of its block
        try {
            parameter.aggregateGradientPartition(1);
            return FloatTensors.copyOf(sum);
        } catch (NullPointerException e) {
            return new float[0]; // what it says when the first shard's slice is not there
        } finally {
            blocks().releaseLock(block(id + SUM + slice), Option.empty());
            resultsOf(slice).forEach(block -> blocks().removeBlock(block, true));
        }
    }

    /** Driver only: puts a slice's sum where it belongs; false if a shard is missing in it. */
    boolean write(int slice, float[] sum, FlatVector target) {
        if (sum.length != sizeOfSlice() || sum[0] != shards * TAG || sum[sum.length - 1] != shards * TAG) {
            return false;
        }

        target.write(start(slice), sum, 1, start(slice + 1) - start(slice));
        return true;
    }

    /** Driver only: frees what shards left with the executors. */
    void remove() {
        BlockManagerMaster master = SparkEnv.get().blockManager().master();
        IntStream.range(0, shards).boxed().flatMap(this::slicesOf).forEach(master::removeBlock);
    }

    private int sizeOfSlice() {
        return (length + shards - 1) / shards + TAGS;
    }

    /** First element of {@code slice}; the length for the slice behind the last. */
    private int start(int slice) {
        return (int) Math.min(length, (long) slice * (sizeOfSlice() - TAGS));
    }

    private Stream<BlockId> slicesOf(int shard) {
        return IntStream.range(0, shards)
                .mapToObj(slice -> block(String.format(Locale.ROOT, "%d_%dgradientBytes%d", id, slice, shard)));
    }

    /** The blocks that {@code init} makes in the executor that adds a slice. */
    private Stream<BlockId> resultsOf(int slice) {
        return Stream.of("weights", "weightBytes", SUM).map(kind -> block(id + kind + slice));
    }

    private static BlockId block(String name) {
        return SparkExtension$.MODULE$.getLocalBlockId(name);
    }

    private static BlockManager blocks() {
        return SparkEnv.get().blockManager();
    }
}
