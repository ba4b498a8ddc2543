package org.sparkqlora.command.bench;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.ShortBuffer;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.SplittableRandom;
import org.sparkqlora.optim.Optimizer;
import org.sparkqlora.optim.OptimizerKind;
import org.sparkqlora.optim.OptimizerSpec;
import org.sparkqlora.optim.Optimizers;
import org.sparkqlora.quant.Bfloat16;
import org.sparkqlora.quant.FloatSource;
import org.sparkqlora.quant.FourBitDequantizer;
import org.sparkqlora.quant.FourBitQuantizer;
import org.sparkqlora.quant.FourBitTensor;
import org.sparkqlora.quant.QuantSpec;
import org.sparkqlora.quant.Workers;
import org.sparkqlora.tensor.FlatVector;
import org.sparkqlora.tensor.MatrixProduct;
import org.sparkqlora.tensor.Natives;

/**
 * The speed of this machine in one kind of work: matrix products, NF4 both ways, optimiser steps.
 *
 * @param threads threads to compute with
 */
record KernelBench(int threads, Repetitions repetitions) {
    private static final double TERA = 1e12;

    /** Tokens of the products, as many as a small step has. */
    private static final int TOKENS = 2048;

    /** Width of a product that is limited by nothing but arithmetic, and of the weight that is quantised. */
    private static final int WIDE = 4096;

    /** Adapters of rank 16 on four layers' worth of projections, thirty times: 4.3 M parameters in small tensors. */
    private static final long[] ADAPTERS = repeated(30, 9216, 9216, 9216, 3072, 9216, 24_576, 24_576, 9216);

    /** bf16 products of a feed-forward block's shape: what {@link Roofline} goes by. */
    double productOperations(int hidden, int intermediate) {
        return productOperations(MatrixProduct.bfloat16(TOKENS, hidden, intermediate));
    }

    List<Figure> products(int hidden, int intermediate, double operations) {
        String shape = String.format(Locale.ROOT, "%dx%dx%d", TOKENS, hidden, intermediate);
        return List.of(
                new Figure("matmul", "bf16_%s_tflops".formatted(shape), operations / TERA),
                new Figure(
                        "matmul",
                        "float32_%s_tflops".formatted(shape),
                        productOperations(MatrixProduct.float32(TOKENS, hidden, intermediate)) / TERA),
                new Figure(
                        "matmul",
                        String.format(Locale.ROOT, "bf16_%1$dx%2$dx%2$d_tflops", TOKENS, WIDE),
                        productOperations(MatrixProduct.bfloat16(TOKENS, WIDE, WIDE)) / TERA));
    }

    /** NF4 with double quantisation of a bf16 weight, and back to bf16. */
    List<Figure> fourBit() {
        int weights = WIDE * WIDE;
        FloatSource source = new Widened(randomWeights(weights));
        ShortBuffer target = ByteBuffer.allocateDirect(weights * Short.BYTES)
                .order(ByteOrder.nativeOrder())
                .asShortBuffer();
        try (Workers workers = new Workers(threads)) {
            FourBitQuantizer quantizer = new FourBitQuantizer(QuantSpec.DEFAULT, workers);
            FourBitTensor quantized = quantizer.quantize(source);
            FourBitDequantizer dequantizer = new FourBitDequantizer(workers);
            return List.of(
                    new Figure(
                            "nf4",
                            "quantize_weights_per_second",
                            weights / repetitions.medianSeconds(() -> requireSame(quantizer, source, quantized))),
                    new Figure(
                            "nf4",
                            "dequantize_bf16_weights_per_second",
                            weights / repetitions.medianSeconds(() -> dequantizer.toBfloat16(quantized, target))));
        }
    }

    List<Figure> optimizers() {
        return List.of(
                new Figure("optimizer", "adamw_parameters_per_second", updates(OptimizerKind.ADAMW)),
                new Figure("optimizer", "adamw_8bit_parameters_per_second", updates(OptimizerKind.ADAMW_8BIT)),
                new Figure(
                        "optimizer",
                        "paged_adamw_8bit_parameters_per_second",
                        updates(OptimizerKind.PAGED_ADAMW_8BIT)));
    }

    private double updates(OptimizerKind kind) {
        long size = Arrays.stream(ADAPTERS).sum();
        FlatVector parameters = random(size, 1);
        FlatVector gradient = random(size, 2);
        try (Workers workers = new Workers(threads);
                Optimizer optimizer =
                        Optimizers.create(new OptimizerSpec(kind, 0.9, 0.999, 1e-8, 0), ADAPTERS, workers)) {
            return size / repetitions.medianSeconds(() -> optimizer.step(parameters, gradient, 1, 1e-4, 1));
        }
    }

    private double productOperations(MatrixProduct product) {
        Natives.useThreads(threads);
        try (product) {
            return product.operations() / repetitions.medianSeconds(product::run);
        }
    }

    /** A result that is looked at cannot be optimised away. */
    private static void requireSame(FourBitQuantizer quantizer, FloatSource source, FourBitTensor expected) {
        if (quantizer.quantize(source).elements() != expected.elements()) {
            throw new IllegalStateException("Cannot compare quantised weights: they are not as many");
        }
    }

    private static short[] randomWeights(int count) {
        SplittableRandom random = new SplittableRandom(0);
        short[] weights = new short[count];
        for (int i = 0; i < count; i++) {
            // the sum of a few uniform numbers is near enough to the normal distribution of weights
            weights[i] =
                    Bfloat16.round((float) (random.nextDouble() + random.nextDouble() + random.nextDouble() - 1.5));
        }

        return weights;
    }

    private static FlatVector random(long size, long seed) {
        SplittableRandom random = new SplittableRandom(seed);
        FlatVector vector = FlatVector.zeros(size);
        for (long i = 0; i < size; i++) {
            vector.set(i, (float) (random.nextDouble() - 0.5));
        }

        return vector;
    }

    private static long[] repeated(int times, long... sizes) {
        return Collections.nCopies(times, sizes).stream()
                .flatMapToLong(Arrays::stream)
                .toArray();
    }

    /** bf16 weights as a file has them. */
    private record Widened(short[] weights) implements FloatSource {
        @Override
        public long length() {
            return weights.length;
        }

        @Override
        public void read(long from, float[] target, int count) {
            for (int i = 0; i < count; i++) {
                target[i] = Bfloat16.widen(weights[(int) from + i]);
            }
        }
    }
}
