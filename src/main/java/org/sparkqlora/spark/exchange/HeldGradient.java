package org.sparkqlora.spark.exchange;

import java.util.List;
import java.util.function.Consumer;
import org.sparkqlora.spark.blocks.BlockMemory;
import org.sparkqlora.spark.blocks.BlockReads;
import org.sparkqlora.spark.blocks.ExecutorBlocks;
import org.sparkqlora.tensor.FlatVector;
import org.sparkqlora.tensor.VectorPool;
import org.sparkqlora.train.SummedGradient;
import org.sparkqlora.train.UnreachableStateException;

/**
 * A summed gradient that stays, in parts, with the executors that added it: a handle of some kilobytes. Whoever needs the numbers fetches
 * them there.
 *
 * @param sums among which it is
 * @param step of which it is
 * @param parts in their order
 * @param tails the last numbers of each part; none where nobody needs them apart from the part
 * @param squares sum of the squares of all numbers
 */
record HeldGradient(HeldSums sums, long step, List<ExecutorBlocks.Handle> parts, List<float[]> tails, double squares)
        implements SummedGradient {
    HeldGradient {
        parts = List.copyOf(parts);
        tails = List.copyOf(tails);
    }

    @Override
    public long length() {
        return sums.layout().length();
    }

    /** This gradient, whose squares were summed in another order. */
    HeldGradient withSquares(double summed) {
        return new HeldGradient(sums, step, parts, tails, summed);
    }

    @Override
    public FlatVector vector() {
        FlatVector vector = FlatVector.zeros(length());
        fetchInto(vector);
        return vector;
    }

    /** The numbers in a vector of {@code pool}, which has them again after {@code reader}. */
    @Override
    public void lend(VectorPool pool, Consumer<FlatVector> reader) {
        try (FlatVector vector = pool.zeros()) {
            fetchInto(vector);
            reader.accept(vector);
        }
    }

    /** Where a neighbouring part's last numbers are all that is needed of it, they are at hand. */
    @Override
    public void lendRange(long from, long count, Consumer<FlatVector> reader) {
        sums.forgetBefore(step);
        try (BlockMemory memory = new BlockMemory(Math.toIntExact(count * Float.BYTES))) {
            FlatVector range = FlatVector.in(memory.bytes().asFloatBuffer());
            for (int part = 0; part < parts.size(); part++) {
                readInto(range, from, part);
            }

            reader.accept(range);
        } catch (ExecutorBlocks.LostBlockException e) {
            throw lost(e);
        }
    }

    /** What {@code part} has of the numbers from {@code from} on. */
    private void readInto(FlatVector range, long from, int part) {
        long start = sums.layout().startOfPart(part);
        long end = sums.layout().startOfPart(part + 1);
        long first = Math.max(from, start);
        long numbers = Math.min(from + range.length(), end) - first;
        if (numbers <= 0) {
            return;
        }

        int count = Math.toIntExact(numbers);
        float[] tail = tails.get(part);

        if (first >= end - tail.length) {
            range.write(first - from, tail, (int) (first - (end - tail.length)), count);
            return;
        }

        int size = sums.format().sum().bytesOfValue();
        int skipped = (int) (first - start) * size;
        sums.blocks()
                .read(
                        parts.get(part),
                        bytes -> sums.format()
                                .sum()
                                .write(bytes.slice(bytes.position() + skipped, count * size), range, first - from));
    }

    private static UnreachableStateException lost(Exception e) {
        return new UnreachableStateException("a sum of gradients is lost: " + e.getMessage(), e);
    }

    private void fetchInto(FlatVector vector) {
        sums.forgetBefore(step);
        try {
            new BlockReads(sums.blocks(), parts)
                    .each((bytes, part) -> sums.format()
                            .sum()
                            .write(bytes, vector, sums.layout().startOfPart(part)));
        } catch (ExecutorBlocks.LostBlockException e) {
            throw lost(e);
        }
    }

    /** Replicas may need the numbers later: the run drops them when they cannot. */
    @Override
    public void close() {}
}
