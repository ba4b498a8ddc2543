package org.sparkqlora.model.elementwise;

import java.util.Arrays;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.jspecify.annotations.Nullable;
import org.sparkqlora.tensor.Hardware;
import org.sparkqlora.tensor.RowMath;
import org.sparkqlora.tensor.TensorRows;
import org.sparkqlora.tensor.TensorScope;

/**
 * The softmax of attention over the keys that each query sees, and its gradient, in place: {@code P = softmax(s Q K')} and
 * {@code dS = s P (dP - rowsum(P dP))}. With a cap c scores pass {@code c tanh(score / c)}, and dS is multiplied by
 * {@code 1 - tanh(score / c)^2}.
 *
 * @param scale s
 * @param window tokens that a token sees; empty for all before it
 * @param cap c; empty for scores as they are
 * @param sinks logits that take a share; null without
 */
public record AttentionSoftmax(
        double scale,
        OptionalInt window,
        OptionalDouble cap,
        @Nullable AttentionSinks sinks,
        Hardware hardware) {
    /**
     * The keys that the queries of a product see. A row of scores is of one head and one query, heads first.
     *
     * @param rows queries of the product for a head; those behind the first {@code count} see nothing
     * @param columns keys of the product
     * @param firstEnd behind the last key that the first query sees; the next sees one more
     */
    public record Mask(int rows, int count, int columns, int firstEnd) {
        private int end(long row) {
            int query = (int) (row % rows);
            return query < count ? firstEnd + query : 0;
        }

        private int head(long row) {
            return (int) (row / rows);
        }
    }

    /** Turns products, (G, R N, M), into {@code tanh(score / c)}; null without a cap. */
    public @Nullable Tensor softcapped(Tensor products) {
        return cap.isPresent()
                ? products.mul_(new Scalar(scale / cap.getAsDouble())).tanh_()
                : null;
    }

    /** Turns scores, (G, R N, M), into probabilities; what is hidden is not looked at. */
    public Tensor forward(Tensor scores, Mask mask) {
        float factor = cap.isPresent() ? (float) cap.getAsDouble() : (float) scale;
        int keys = mask.columns();
        if (!hardware.isHostAccessible()) {
            TensorScope.run(() -> DeviceMath.softmax(
                    scores,
                    factor,
                    DeviceMath.visible(scores, mask.rows(), keys, mask.firstEnd(), window),
                    sinks == null ? null : sinks.logits()));
            return scores;
        }

        hardware.rows().run(scores.numel() / keys, keys, range -> {
            TensorRows rows = range.of(scores, keys);
            float[] row = new float[keys];
            for (long i = range.from(); i < range.to(); i++) {
                int end = mask.end(i);
                int first = first(end);
                if (end > 0) {
                    rows.load(i, first, end - first, row);
                    softmax(row, factor, end - first, mask.head(i), range.math());
                }

                place(row, first, end);
                rows.store(i, row);
            }
        });
        return scores;
    }

    private void softmax(float[] row, float factor, int count, int head, RowMath math) {
        if (sinks == null) {
            math.softmax(row, factor, count);
        } else {
            math.softmax(row, factor, sinks.logit(head), count);
        }
    }

    /** Gradients of probabilities become those of products. */
    public void backward(Tensor gradients, Tensor probability, @Nullable Tensor softcapped, Mask mask) {
        int keys = mask.columns();
        if (!hardware.isHostAccessible()) {
            DeviceMath.throughSoftmax(gradients, probability, scale);
            if (softcapped != null) {
                gradients.sub_(gradients.mul(softcapped.square()));
            }

            return;
        }

        hardware.rows().run(gradients.numel() / keys, keys, range -> {
            TensorRows rows = range.of(gradients, keys);
            TensorRows probabilities = range.of(probability, keys);
            TensorRows capped = softcapped == null ? null : range.of(softcapped, keys);
            float[] row = new float[keys];
            float[] other = new float[keys];
            for (long i = range.from(); i < range.to(); i++) {
                int end = mask.end(i);
                int first = first(end);
                rows.load(i, first, end - first, row);
                probabilities.load(i, first, end - first, other);
                range.math().softmaxGradient(other, row, (float) scale, row, end - first);
                if (capped != null) {
                    capped.load(i, first, end - first, other);
                    throughTanh(row, other, end - first, range.math());
                }

                place(row, first, end);
                rows.store(i, row);
            }
        });
    }

    /** {@code gradient *= 1 - softcapped^2}. */
    private static void throughTanh(float[] gradient, float[] softcapped, int count, RowMath math) {
        math.multiply(softcapped, softcapped, softcapped, count);
        math.multiply(gradient, softcapped, softcapped, count);
        math.combine(1, gradient, -1, softcapped, gradient, count);
    }

    /** The first key that the query sees whose last is {@code end - 1}. */
    private int first(int end) {
        return window.isPresent() ? Math.max(0, end - window.getAsInt()) : 0;
    }

    /** Moves the start of {@code row} to {@code first .. end - 1}, between zeros. */
    private static void place(float[] row, int first, int end) {
        if (first > 0) {
            System.arraycopy(row, 0, row, first, end - first);
            Arrays.fill(row, 0, first, 0);
        }

        Arrays.fill(row, end, row.length, 0);
    }
}
