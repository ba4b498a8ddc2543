package org.sparkqlora.spark.exchange;

import java.io.Serializable;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.sparkqlora.optim.OptimizerPart;
import org.sparkqlora.spark.blocks.BlockMemory;
import org.sparkqlora.spark.blocks.ExecutorBlocks;
import org.sparkqlora.tensor.FlatVector;
import org.sparkqlora.train.GradientDtype;
import org.sparkqlora.train.GradientFormat;
import org.sparkqlora.train.ShardResult;

/**
 * The sums of gradients that executors hold for the replicas.
 *
 * @param blocks among which they are
 * @param layout of a sum
 * @param format of a sum
 * @param keptSteps steps for which a sum stays
 * @param copies processes that keep a part of a sum
 * @param tail numbers at the end of a part that its handle has, too
 */
public record HeldSums(
        ExecutorBlocks blocks, SliceLayout layout, GradientFormat format, int keptSteps, int copies, int tail)
        implements Serializable {
    /** Of the numbers at a part's end, those that may belong to the next part of an optimiser. */
    static final int LONGEST_TAIL = OptimizerPart.BLOCK - 1;

    /** Runs in a task: leaves a part here, for other processes to keep copies, and drops what no replica asks for any more. */
    Part hold(long step, int part, PartGroups.Added added) {
        forgetBefore(step);
        BlockMemory memory = added.sum();
        if (memory == null) {
            return new Part(added.facts(), null, new double[0], new float[0]);
        }

        FlatVector sum = FlatVector.in(memory.bytes().asFloatBuffer());
        format.sum().round(sum);
        double[] squares = new double[layout.firstSlice(part + 1) - layout.firstSlice(part)];
        for (int i = 0; i < squares.length; i++) {
            int slice = layout.firstSlice(part) + i;
            squares[i] = sum.sumOfSquares(layout.start(slice) - layout.startOfPart(part), layout.size(slice));
        }

        float[] last = new float[(int) Math.min(tail, sum.length())];
        sum.read(sum.length() - last.length, last, 0, last.length);
        return new Part(
                added.facts(),
                blocks.put(name(step, part), encoded(sum, memory), added.places(), copies),
                squares,
                last);
    }

    private BlockMemory encoded(FlatVector sum, BlockMemory memory) {
        if (format.sum() == GradientDtype.FP32) {
            return memory;
        }

        try (memory) {
            BlockMemory encoded =
                    new BlockMemory(Math.toIntExact(sum.length() * format.sum().bytesOfValue()));
            format.sum().read(sum, 0, encoded.bytes());
            return encoded;
        }
    }

    /** What no replica asks for any more goes; also what a process kept that took part in no step for a while. */
    void forgetBefore(long step) {
        for (long old = Math.max(0, step - 2L * keptSteps); old < step - keptSteps; old++) {
            for (int part = 0; part < layout.parts(); part++) {
                blocks.forget(name(old, part));
            }
        }
    }

    private static String name(long step, int part) {
        return String.format(Locale.ROOT, "sum_%d_%d", step, part);
    }

    /** The gradient that {@code parts} make. */
    HeldGradient gradient(long step, List<Part> parts) {
        double squares = 0;
        for (Part part : parts) {
            for (double ofSlice : part.squares()) {
                squares += ofSlice;
            }
        }

        List<ExecutorBlocks.Handle> handles = parts.stream()
                .map(part -> Objects.requireNonNull(part.handle()))
                .toList();
        List<float[]> tails = parts.stream().map(Part::tail).toList();
        return new HeldGradient(this, step, handles, tails, squares);
    }

    /** Driver only. */
    void close() {
        blocks.close();
    }

    /**
     * The report to the driver about a part of a sum.
     *
     * @param facts the results of all shards without their vectors, of the first part only
     * @param handle of the part; null if a shard has no gradient
     * @param squares sum of squares of each slice; none where a shard has no gradient
     * @param tail the last numbers
     */
    public record Part(List<ShardResult> facts, ExecutorBlocks.@Nullable Handle handle, double[] squares, float[] tail)
            implements Serializable {
        public Part {
            facts = List.copyOf(facts);
        }
    }
}
