package org.sparkqlora.spark.exchange;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.sparkqlora.tensor.FlatVector;
import org.sparkqlora.train.GradientDtype;
import org.sparkqlora.train.GradientFormat;
import org.sparkqlora.train.StepGradient;
import org.sparkqlora.train.Summation;

/** The contract of exchanges for more shards than are added one after the other. */
abstract class TreeExchangeContract extends GradientExchangeContract {
    private static final int LENGTH = 333;

    @ParameterizedTest(name = "{0} shards")
    @ValueSource(ints = {32, 33, 70, 1026})
    void addsNeighboursFirst(int shards) {
        RandomShard shard = new RandomShard(5, LENGTH);

        StepGradient sum = sum(shard, shards, GradientDtype.FP32, LENGTH);

        assertThat(bits(sum)).isEqualTo(bits(tree(shard, 0, shards)));
        assertThat(sum.shards()).hasSize(shards);
        assertThat(sum.tokens()).isEqualTo(shards * (shards + 19L) / 2);
    }

    @Test
    void addsInOneRowWhereAnEarlierVersionBegan() {
        RandomShard shard = new RandomShard(6, LENGTH);
        GradientFormat earlier = new GradientFormat(GradientDtype.BF16, GradientDtype.FP32, Summation.SEQUENTIAL);

        StepGradient sum = sum(shard, 40, earlier, LENGTH);

        FlatVector expected = plainSum(shard, 0, 40, GradientDtype.BF16);
        assertThat(bits(sum)).isEqualTo(bits(expected));
        assertThat(sum.gradient().squares()).isEqualTo(expected.sumOfSquares());
    }

    /** The definition: a sum of up to 32 is in order, a longer one is of sums of the largest power of 32 that is shorter. */
    private static FlatVector tree(RandomShard shard, int from, int to) {
        int ofGroup = 1;
        while (ofGroup * 32 < to - from) {
            ofGroup *= 32;
        }

        if (ofGroup == 1) {
            return plainSum(shard, from, to, GradientDtype.FP32);
        }

        FlatVector sum = tree(shard, from, Math.min(to, from + ofGroup));
        for (int next = from + ofGroup; next < to; next += ofGroup) {
            sum.addAll(tree(shard, next, Math.min(to, next + ofGroup)));
        }

        return sum;
    }
}
