package org.sparkqlora.model;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.OptionalDouble;
import java.util.function.Consumer;
import java.util.stream.IntStream;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.jspecify.annotations.Nullable;
import org.sparkqlora.model.layout.Parameter;
import org.sparkqlora.model.loss.HeadTargets;
import org.sparkqlora.model.loss.TokenMeasures;
import org.sparkqlora.tensor.Hardware;
import org.sparkqlora.tensor.Products;
import org.sparkqlora.tensor.RowMath;
import org.sparkqlora.tensor.TensorMemory;
import org.sparkqlora.tensor.TensorRows;
import org.sparkqlora.tensor.TensorScope;

/**
 * Cross-entropy of the trained tokens: {@code loss = logsumexp(z) - z[target], z = m W h}, and its gradient
 * {@code dz = softmax(z) - onehot(target)}, multiplied by the factor of its {@link GradientAccumulator}. With a cap c it is {@code z = c tanh(m W h / c)}, and dz is multiplied by
 * {@code 1 - (z / c)^2} on its way back.
 *
 * <p>Only positions that predict a trained token are computed, a chunk of them at a time, so that the logits of all never exist at
 * once. The gradient of a chunk takes the place of its logits.
 *
 * @param weight W, (vocabulary, hidden)
 * @param place where W lies in the flat vector, when it trains
 * @param multiplier m
 * @param cap c; empty without one
 * @param used called with each part of W once a product with it is made
 */
record OutputHead(
        Tensor weight,
        @Nullable Parameter place,
        double multiplier,
        OptionalDouble cap,
        Hardware hardware,
        Consumer<Tensor> used) {
    /** Of a chunk's logits: the weight, which no cache holds, is read once a chunk. */
    private static final long CHUNK_BYTES = 48L << 20;

    /**
     * Of the vocabulary, a product at a time: a part of the weight and the chunk's logits of it are used again before they have left the
     * cache. A chunk's logits are no single tensor, so that malloc does not map and unmap it each time.
     */
    static final int PANEL = 1 << 12;

    /** Of a panel, what one product sums over: libtorch's products over more are slower. */
    private static final int SLICE = 1 << 10;

    /** On a device that must be kept busy. */
    private static final long DEVICE_CHUNK_BYTES = 128L << 20;

    /**
     * The loss of each predictor of (predictors, hidden), in nats.
     *
     * @param measures takes those of their distributions; null for none
     */
    float[] losses(Tensor hidden, int[] targets, @Nullable TokenMeasures measures) {
        return chunked(hidden, new HeadTargets(targets, null, measures), null, null);
    }

    /**
     * The loss of each predictor; the gradient of their sum goes to {@code hiddenGradient}, shaped as {@code hidden}, and to the flat
     * vector if the head trains.
     *
     * @param measures as above
     */
    float[] lossesAndGradient(
            Tensor hidden,
            int[] targets,
            @Nullable TokenMeasures measures,
            Tensor hiddenGradient,
            GradientAccumulator gradients) {
        return chunked(hidden, new HeadTargets(targets, null, measures), hiddenGradient, gradients);
    }

    /** As {@link #lossesAndGradient}, the gradient that of the sum with the weight of each predictor. */
    void weightedGradient(
            Tensor hidden, int[] targets, float[] weights, Tensor hiddenGradient, GradientAccumulator gradients) {
        chunked(hidden, new HeadTargets(targets, weights, null), hiddenGradient, gradients);
    }

    /** Whether the weight of the head trains, so that its gradient needs the weights of predictors. */
    boolean trains() {
        return place != null;
    }

    private float[] chunked(
            Tensor hidden,
            HeadTargets targets,
            @Nullable Tensor hiddenGradient,
            @Nullable GradientAccumulator gradients) {
        long rows = hidden.size(0);
        double factor = gradients == null ? multiplier : multiplier * gradients.factor();
        long chunk = chunk(
                hardware.isHostAccessible() ? CHUNK_BYTES : DEVICE_CHUNK_BYTES, weight.size(0) * weight.element_size());
        float[] losses = new float[Math.toIntExact(rows)];
        // Summed here: the flat vector is slower to add to, and a chunk is few rows.
        Tensor sum = place == null || gradients == null ? null : hardware.zeros(ScalarType.Float, place.shape());
        for (long from = 0; from < rows; from += chunk) {
            long at = from;
            long count = Math.min(chunk, rows - from);
            TensorScope.run(() -> {
                Tensor inputs = wholeRows(hidden.narrow(0, at, count));
                List<Tensor> products = products(inputs);
                crossEntropy(products, targets, losses, (int) at, (int) count, factor);
                if (hiddenGradient != null) {
                    hiddenGradient
                            .narrow(0, at, count)
                            .copy_(throughProducts(products).narrow(0, 0, count));
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

    /** Predictors whose logits are computed at once on a CPU, each of {@code logitBytes} for the whole vocabulary. */
    static long chunk(long logitBytes) {
        return chunk(CHUNK_BYTES, logitBytes);
    }

    /** A multiple of {@link DocumentBatch#ROWS}, to which each chunk is padded: a product takes as long for padding. */
    private static long chunk(long bytes, long logitBytes) {
        return Math.max(1, bytes / logitBytes / DocumentBatch.ROWS) * DocumentBatch.ROWS;
    }

    /** W h of each panel of the vocabulary; a device takes it whole. */
    private List<Tensor> products(Tensor inputs) {
        return hardware.isHostAccessible()
                ? panels(weight, 0).stream()
                        .map(panel -> using(panel, Products.linear(inputs, panel)))
                        .toList()
                : List.of(Products.linear(inputs, weight));
    }

    private Tensor using(Tensor part, Tensor product) {
        used.accept(part);
        return product;
    }

    /** Panels of {@code whole}, which has the vocabulary along {@code dimension}. */
    private static List<Tensor> panels(Tensor whole, int dimension) {
        return slices(whole, dimension, PANEL);
    }

    private static List<Tensor> slices(Tensor whole, int dimension, int width) {
        List<Tensor> slices = new ArrayList<>();
        long size = whole.size(dimension);
        for (long from = 0; from < size; from += width) {
            slices.add(whole.narrow(dimension, from, Math.min(width, size - from)));
        }

        return slices;
    }

    /** The gradient of h, given those of the products: panels are added in float32, so that rounding does not grow with their number. */
    private Tensor throughProducts(List<Tensor> products) {
        if (!hardware.isHostAccessible()) {
            return Products.mm(products.get(0), weight);
        }

        List<Tensor> weights = panels(weight, 0);
        Tensor sum = hardware.zeros(ScalarType.Float, products.get(0).size(0), weight.size(1));
        for (int i = 0; i < products.size(); i++) {
            int width = sliceOf(products.get(i));
            List<Tensor> gradients = slices(products.get(i), 1, width);
            List<Tensor> rows = slices(weights.get(i), 0, width);
            TensorScope.run(() -> {
                Tensor part = Products.mm(gradients.get(0), rows.get(0));
                for (int k = 1; k < rows.size(); k++) {
                    Products.addTo(part, gradients.get(k), rows.get(k), 1);
                }

                sum.add_(part);
            });
            used.accept(weights.get(i));
        }

        return sum;
    }

    /** The last panel may not end with a tile: oneDNN, given a slice that does not, reads on behind it, and there nothing follows. */
    private static int sliceOf(Tensor panel) {
        int width = Math.toIntExact(panel.size(1));
        return width % FusedLoraLinears.TILE == 0 ? SLICE : width;
    }

    /** Adds {@code products' inputs}, few rows of it at a time: libtorch holds the product of 16 bits, and a copy of it in 32. */
    private static void addWeightGradient(Tensor sum, List<Tensor> products, Tensor inputs) {
        List<Tensor> sums = panels(sum, 0);
        List<Tensor> gradients = products.size() == sums.size() ? products : panels(products.get(0), 1);
        for (int i = 0; i < sums.size(); i++) {
            Tensor target = sums.get(i);
            Tensor gradient = gradients.get(i);
            TensorScope.run(() -> target.add_(Products.mm(gradient.t(), inputs)));
        }
    }

    /** {@code rows} and zeros behind them, as {@link DocumentBatch#ROWS} has it: their logits, and so the gradients in their place, are zero. */
    static Tensor wholeRows(Tensor rows) {
        return TensorMemory.padded(rows, 0, DocumentBatch.roundUp(Math.toIntExact(rows.size(0))));
    }

    /** Logits of (tokens, hidden), in float32. */
    Tensor logits(Tensor hidden) {
        Tensor products = using(weight, Products.linear(hidden, weight)).to(ScalarType.Float);
        if (cap.isEmpty()) {
            return multiplier == 1 ? products : products.mul_(new Scalar(multiplier));
        }

        Tensor softcapped =
                products.mul_(new Scalar(multiplier / cap.getAsDouble())).tanh_();
        return softcapped.mul_(new Scalar(cap.getAsDouble()));
    }

    /**
     * Losses of the {@code count} predictors from {@code at} on; products W h become {@code factor} times the gradients of the losses to
     * the logits.
     */
    private void crossEntropy(
            List<Tensor> products, HeadTargets targets, float[] losses, int at, int count, double factor) {
        if (!hardware.isHostAccessible()) {
            crossEntropyOnDevice(products.get(0).narrow(0, 0, count), targets, losses, at, factor);
            return;
        }

        hardware.rows().run(count, weight.size(0), range -> {
            List<TensorRows> rows = products.stream().map(range::of).toList();
            float[][] row = rows.stream().map(panel -> new float[panel.width()]).toArray(float[][]::new);
            float[][] softcapped = cap.isPresent()
                    ? rows.stream().map(panel -> new float[panel.width()]).toArray(float[][]::new)
                    : new float[rows.size()][0];
            float[] plain = targets.measures() == null ? null : new float[PANEL];
            for (long i = range.from(); i < range.to(); i++) {
                for (int panel = 0; panel < row.length; panel++) {
                    rows.get(panel).load(i, row[panel]);
                    softcap(row[panel], softcapped[panel], range.math());
                }

                int predictor = at + (int) i;
                HeadTargets.Distribution found = crossEntropy(row, plain, targets.ids()[predictor], range.math());
                losses[predictor] = (float) found.loss();
                targets.measure(predictor, found);
                float weighted = (float) (factor * targets.weight(predictor));
                for (int panel = 0; panel < row.length; panel++) {
                    throughSoftcap(row[panel], softcapped[panel], weighted, range.math());
                    rows.get(panel).store(i, row[panel]);
                }
            }
        });
    }

    private void crossEntropyOnDevice(Tensor products, HeadTargets targets, float[] losses, int at, double factor) {
        int count = Math.toIntExact(products.size(0));
        long[] wanted =
                IntStream.range(at, at + count).mapToLong(i -> targets.ids()[i]).toArray();
        Tensor target = hardware.on(TensorMemory.longs(wanted)).unsqueeze(1);
        Tensor row = products.to(ScalarType.Float);
        Tensor softcapped = cap.isPresent()
                ? row.mul(new Scalar(multiplier / cap.getAsDouble())).tanh_()
                : null;
        Tensor logits =
                softcapped == null ? row.mul(new Scalar(multiplier)) : softcapped.mul(new Scalar(cap.getAsDouble()));
        Tensor loss = logits.logsumexp(1).sub_(logits.gather(1, target).squeeze(1));
        float[] found = new float[count];
        TensorMemory.read(TensorMemory.onHost(loss), found, count);
        System.arraycopy(found, 0, losses, at, count);
        Tensor gradient = torch.softmax(logits, 1);
        if (targets.measures() != null) {
            targets.measure(at, logits, gradient, target);
        }

        gradient.scatter_add_(1, target, torch.full_like(loss, new Scalar(-1.0)).unsqueeze(1));
        gradient.mul_(new Scalar(factor));
        if (targets.weights() != null) {
            gradient.mul_(column(targets.weights(), at, count));
        }

        products.copy_(
                softcapped == null
                        ? gradient
                        : gradient.mul_(softcapped.square().neg_().add_(new Scalar(1.0))));
    }

    /** Weights {@code at} to {@code at + count - 1}, (count, 1), in float32. */
    private Tensor column(float[] weights, int at, int count) {
        return hardware.on(TensorMemory.floats(Arrays.copyOfRange(weights, at, at + count), count))
                .unsqueeze(1);
    }

    /** Multiplies each row of a gradient of (predictors, hidden) by the weight of its predictor. */
    void weigh(Tensor hiddenGradient, float[] weights) {
        hiddenGradient.mul_(column(weights, 0, weights.length));
    }

    /**
     * The distribution of one predictor; {@code row}, its logits but for a factor, panel by panel, becomes {@code softmax - onehot}.
     *
     * @param plain room for a panel where more than the loss is measured; else null
     */
    private HeadTargets.Distribution crossEntropy(float[][] row, float @Nullable [] plain, int target, RowMath math) {
        float factor = (float) cap.orElse(multiplier);
        float max = Float.NEGATIVE_INFINITY;
        for (float[] panel : row) {
            max = Math.max(max, math.max(panel, panel.length));
        }

        float wanted = row[target / PANEL][target % PANEL] - max;
        double sum = 0;
        double ofLogits = 0; // sum of the row
        double weighted = 0; // the same, each with its exponential
        for (float[] panel : row) {
            if (plain != null) {
                System.arraycopy(panel, 0, plain, 0, panel.length);
                ofLogits += sum(panel);
            }

            sum += math.exponentials(panel, factor, max, panel.length);
            if (plain != null) {
                weighted += math.dot(panel, plain, panel.length);
            }
        }

        for (float[] panel : row) {
            math.scale((float) (1 / sum), panel, panel, panel.length);
        }

        row[target / PANEL][target % PANEL] -= 1;
        double log = Math.log(sum);
        return new HeadTargets.Distribution(
                log - (double) factor * wanted,
                log - factor * (weighted / sum - max),
                factor * ofLogits / weight.size(0),
                wanted == 0);
    }

    static double sum(float[] values) {
        double sum = 0;
        for (float value : values) {
            sum += value;
        }

        return sum;
    }

    private void softcap(float[] row, float[] softcapped, RowMath math) {
        if (cap.isPresent()) {
            math.tanh((float) (multiplier / cap.getAsDouble()), row, row, row.length);
            System.arraycopy(row, 0, softcapped, 0, row.length);
        }
    }

    private void throughSoftcap(float[] row, float[] softcapped, float factor, RowMath math) {
        if (cap.isPresent()) {
            math.multiply(softcapped, softcapped, softcapped, row.length);
            math.multiply(row, softcapped, softcapped, row.length);
            math.combine(factor, row, -factor, softcapped, row, row.length);
        } else if (factor != 1) {
            math.scale(factor, row, row, row.length);
        }
    }
}
