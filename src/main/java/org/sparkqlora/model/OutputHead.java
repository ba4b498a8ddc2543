package org.sparkqlora.model;

import java.util.OptionalDouble;
import java.util.stream.IntStream;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.jspecify.annotations.Nullable;
import org.sparkqlora.tensor.Hardware;
import org.sparkqlora.tensor.RowMath;
import org.sparkqlora.tensor.TensorMemory;
import org.sparkqlora.tensor.TensorRows;
import org.sparkqlora.tensor.TensorScope;

/**
 * Cross-entropy of the trained tokens: {@code loss = logsumexp(z) - z[target], z = m W h}, and its gradient
 * {@code dz = softmax(z) - onehot(target)}, multiplied by the factor of its {@link GradientSum}. With a cap c it is {@code z = c tanh(m W h / c)}, and dz is multiplied by
 * {@code 1 - (z / c)^2} on its way back.
 *
 * <p>Only positions that predict a trained token are computed, a chunk of them at a time, so that the logits of all never exist at
 * once. The gradient of a chunk takes the place of its logits.
 *
 * @param weight W, (vocabulary, hidden)
 * @param place where W lies in the flat vector, when it trains
 * @param multiplier m
 * @param cap c; empty without one
 */
record OutputHead(Tensor weight, @Nullable Parameter place, double multiplier, OptionalDouble cap, Hardware hardware) {
    /** Of a chunk's logits: below what malloc would map and unmap each time. */
    private static final long CHUNK_BYTES = 24L << 20;

    /** Of the weight's gradient that are added at once. */
    private static final int GRADIENT_ROWS = 1 << 12;

    /** On a device that must be kept busy. */
    private static final long DEVICE_CHUNK_BYTES = 128L << 20;

    /** The loss of each predictor of (predictors, hidden), in nats. */
    float[] losses(Tensor hidden, int[] targets) {
        return chunked(hidden, targets, null, null);
    }

    /**
     * The loss of each predictor; the gradient of their sum goes to {@code hiddenGradient}, shaped as {@code hidden}, and to the flat
     * vector if the head trains.
     */
    float[] lossesAndGradient(Tensor hidden, int[] targets, Tensor hiddenGradient, GradientSum gradients) {
        return chunked(hidden, targets, hiddenGradient, gradients);
    }

    private float[] chunked(
            Tensor hidden, int[] targets, @Nullable Tensor hiddenGradient, @Nullable GradientSum gradients) {
        long rows = hidden.size(0);
        long bytes = hardware.hasRows() ? CHUNK_BYTES : DEVICE_CHUNK_BYTES;
        double factor = gradients == null ? multiplier : multiplier * gradients.factor();
        long chunk = Math.max(1, bytes / (weight.size(0) * weight.element_size()));
        float[] losses = new float[Math.toIntExact(rows)];
        // Summed here: the flat vector is slower to add to, and a chunk is few rows.
        Tensor sum = place == null || gradients == null ? null : hardware.zeros(ScalarType.Float, place.shape());
        for (long from = 0; from < rows; from += chunk) {
            long at = from;
            long count = Math.min(chunk, rows - from);
            TensorScope.run(() -> {
                Tensor inputs = wholeRows(hidden.narrow(0, at, count));
                Tensor products = torch.linear(inputs, weight);
                crossEntropy(products.narrow(0, 0, count), targets, losses, (int) at, factor);
                if (hiddenGradient != null) {
                    hiddenGradient
                            .narrow(0, at, count)
                            .copy_(torch.mm(products, weight).narrow(0, 0, count));
                    if (sum != null) {
                        addWeightGradient(sum, products, inputs);
                    }
                }
            });
        }

        if (sum != null && place != null && gradients != null) {
            gradients.add(place, sum);
        }

        return losses;
    }

    /** Adds {@code products' inputs}, few rows of it at a time: libtorch holds the product of 16 bits, and a copy of it in 32. */
    private static void addWeightGradient(Tensor sum, Tensor products, Tensor inputs) {
        for (long from = 0; from < sum.size(0); from += GRADIENT_ROWS) {
            long at = from;
            long count = Math.min(GRADIENT_ROWS, sum.size(0) - from);
            TensorScope.run(() -> sum.narrow(0, at, count)
                    .add_(torch.mm(products.narrow(1, at, count).t(), inputs)));
        }
    }

    /** {@code rows} and zeros behind them, as {@link DocumentBatch#ROWS} has it: their logits, and so the gradients in their place, are zero. */
    private static Tensor wholeRows(Tensor rows) {
        return TensorMemory.padded(rows, 0, DocumentBatch.roundUp(Math.toIntExact(rows.size(0))));
    }

    /** Logits of (tokens, hidden), in float32. */
    Tensor logits(Tensor hidden) {
        Tensor products = torch.linear(hidden, weight).to(ScalarType.Float);
        if (cap.isEmpty()) {
            return multiplier == 1 ? products : products.mul_(new Scalar(multiplier));
        }

        Tensor bent = products.mul_(new Scalar(multiplier / cap.getAsDouble())).tanh_();
        return bent.mul_(new Scalar(cap.getAsDouble()));
    }

    /** Losses of the predictors from {@code at} on; products W h become {@code factor} times the gradients of the losses to the logits. */
    private void crossEntropy(Tensor products, int[] targets, float[] losses, int at, double factor) {
        if (!hardware.hasRows()) {
            crossEntropyOnDevice(products, targets, losses, at, factor);
            return;
        }

        int width = Math.toIntExact(products.size(1));
        hardware.rows().run(products.size(0), width, range -> {
            TensorRows rows = range.of(products);
            float[] row = new float[width];
            float[] bent = new float[cap.isPresent() ? width : 0];
            for (long i = range.from(); i < range.to(); i++) {
                int predictor = at + (int) i;
                rows.load(i, row);
                bend(row, bent, range.math());
                losses[predictor] = crossEntropy(row, targets[predictor], range.math());
                throughBend(row, bent, (float) factor, range.math());
                rows.store(i, row);
            }
        });
    }

    private void crossEntropyOnDevice(Tensor products, int[] targets, float[] losses, int at, double factor) {
        int count = Math.toIntExact(products.size(0));
        long[] wanted =
                IntStream.range(at, at + count).mapToLong(i -> targets[i]).toArray();
        Tensor target = hardware.on(TensorMemory.longs(wanted)).unsqueeze(1);
        Tensor row = products.to(ScalarType.Float);
        Tensor bent = cap.isPresent()
                ? row.mul(new Scalar(multiplier / cap.getAsDouble())).tanh_()
                : null;
        Tensor logits = bent == null ? row.mul(new Scalar(multiplier)) : bent.mul(new Scalar(cap.getAsDouble()));
        Tensor loss = logits.logsumexp(1).sub_(logits.gather(1, target).squeeze(1));
        float[] found = new float[count];
        TensorMemory.read(TensorMemory.onHost(loss), found, count);
        System.arraycopy(found, 0, losses, at, count);
        Tensor gradient = torch.softmax(logits, 1);
        gradient.scatter_add_(1, target, torch.full_like(loss, new Scalar(-1.0)).unsqueeze(1));
        gradient.mul_(new Scalar(factor));
        products.copy_(
                bent == null ? gradient : gradient.mul_(bent.square().neg_().add_(new Scalar(1.0))));
    }

    /** The loss of one predictor; {@code row}, logits but for a factor, becomes {@code softmax - onehot}. */
    private float crossEntropy(float[] row, int target, RowMath math) {
        float factor = (float) cap.orElse(multiplier);
        float max = math.max(row, row.length);
        float wanted = row[target] - max;
        float sum = math.exponentials(row, factor, max, row.length);
        math.scale(1 / sum, row, row, row.length);
        row[target] -= 1;
        return (float) (Math.log(sum) - (double) factor * wanted);
    }

    private void bend(float[] row, float[] bent, RowMath math) {
        if (cap.isPresent()) {
            math.tanh((float) (multiplier / cap.getAsDouble()), row, row, row.length);
            System.arraycopy(row, 0, bent, 0, row.length);
        }
    }

    private void throughBend(float[] row, float[] bent, float factor, RowMath math) {
        if (cap.isPresent()) {
            math.multiply(bent, bent, bent, row.length);
            math.multiply(row, bent, bent, row.length);
            math.combine(factor, row, -factor, bent, row, row.length);
        } else if (factor != 1) {
            math.scale(factor, row, row, row.length);
        }
    }
}
