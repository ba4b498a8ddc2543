package org.sparkqlora.train;

import java.util.ArrayList;
import java.util.List;
import org.sparkqlora.tensor.FlatVector;

/**
 * The order in which the gradients of a step are added, and the squares of their sum. Float32 addition is not associative, so this
 * is part of a plan: the bits depend on the number of shards and on lengths, never on who adds.
 */
public enum Summation {
    /** That of earlier versions: shard after shard, and one sum of squares over the whole vector. */
    SEQUENTIAL(Integer.MAX_VALUE, Long.MAX_VALUE),

    /**
     * A tree: 32 neighbouring shards in order, then 32 neighbouring sums in order, and so on. Squares are summed by slices of 262,144
     * elements, then slice after slice. So different machines may each add a part.
     */
    TREE(32, 1L << 18);

    private final int fanIn;
    private final long sliceLength;

    Summation(int fanIn, long sliceLength) {
        this.fanIn = fanIn;
        this.sliceLength = sliceLength;
    }

    /** Most vectors that are added one after the other. */
    public int fanIn() {
        return fanIn;
    }

    /** Elements whose squares are summed by themselves. */
    public long sliceLength() {
        return sliceLength;
    }

    /** The count of groups that {@code members} neighbours make, all but the last of them full. */
    public int groups(int members) {
        return (int) (((long) members + fanIn - 1) / fanIn);
    }

    /** The sum of {@code vectors}, at least one, in their order; the first of each group takes the sum, the others are closed. */
    FlatVector sum(List<FlatVector> vectors) {
        List<FlatVector> members = vectors;
        do {
            List<FlatVector> sums = new ArrayList<>(groups(members.size()));
            for (int i = 0; i < members.size(); i++) {
                if (i % fanIn == 0) {
                    sums.add(members.get(i));
                } else {
                    sums.get(i / fanIn).addAll(members.get(i));
                    members.get(i).close();
                }
            }

            members = sums;
        } while (members.size() > 1);

        return members.get(0);
    }

    /** The sum of the squares of {@code vector} in float64; NaN when any element is NaN. */
    public double squares(FlatVector vector) {
        double sum = 0;
        for (long from = 0; from < vector.length(); from += Math.min(sliceLength, vector.length() - from)) {
            sum += vector.sumOfSquares(from, Math.min(sliceLength, vector.length() - from));
        }

        return sum;
    }
}
