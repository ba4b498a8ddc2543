package org.sparkqlora.weights;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.FloatBuffer;
import java.nio.file.Files;
import java.util.Arrays;
import java.util.List;
import org.sparkqlora.quant.FloatSource;
import org.sparkqlora.quant.FourBitDequantizer;
import org.sparkqlora.quant.FourBitTensor;
import org.sparkqlora.quant.Workers;
import org.sparkqlora.weights.safetensors.SafetensorsFile;

/**
 * Memory saved and error made by quantising a model.
 *
 * @param weights number of weights in four bits
 * @param bytesBefore length of the original's weight files
 * @param bytesAfter length of the quantised model's weight files
 * @param bitsPerWeight bits of a quantised weight, its share of scales, tables and state included
 * @param meanAbsoluteError mean distance of a quantised weight from its original
 */
public record QuantizationReport(
        long weights, long bytesBefore, long bytesAfter, double bitsPerWeight, double meanAbsoluteError) {
    private static final int CHUNK = 1 << 16;

    /** Compares a model with its 4-bit copy, weight by weight. */
    public static QuantizationReport of(WeightFolder original, WeightFolder quantized, Workers workers) {
        long weights = 0;
        long quantizedBytes = 0;
        double errorSum = 0;
        for (String name : quantized.names()) {
            FourBitTensor tensor = quantized.fourBit(name).orElse(null);
            if (tensor != null) {
                weights += tensor.elements();
                quantizedBytes += quantized.storedBytes(name);
                errorSum += errorSum(original.tensor(name).asFloats(), tensor, workers);
            }
        }

        double count = Math.max(1, weights);
        return new QuantizationReport(
                weights, fileBytes(original), fileBytes(quantized), quantizedBytes * 8 / count, errorSum / count);
    }

    /** Of a model that was written part by part. */
    public static QuantizationReport of(List<FourBitPart.Written> parts, long bytesBefore, long bytesAfter) {
        long weights = parts.stream().mapToLong(FourBitPart.Written::weights).sum();
        long quantizedBytes =
                parts.stream().mapToLong(FourBitPart.Written::quantizedBytes).sum();
        double errorSum = 0;
        for (FourBitPart.Written part : parts) {
            errorSum += part.errorSum(); // in this order, whoever wrote them
        }

        double count = Math.max(1, weights);
        return new QuantizationReport(weights, bytesBefore, bytesAfter, quantizedBytes * 8 / count, errorSum / count);
    }

    /** Partial sums lie at fixed places, so that the total does not depend on the number of threads. */
    static double errorSum(FloatSource original, FourBitTensor tensor, Workers workers) {
        FourBitDequantizer dequantizer = new FourBitDequantizer(new Workers(1)); // inside a range, inline
        double[] sums = new double[Math.toIntExact((tensor.elements() + CHUNK - 1) / CHUNK)];
        workers.forRanges(sums.length, 1, (from, to) -> {
            float[] expected = new float[CHUNK];
            float[] found = new float[CHUNK];
            for (long chunk = from; chunk < to; chunk++) {
                long start = chunk * CHUNK;
                int count = (int) Math.min(CHUNK, tensor.elements() - start);
                original.read(start, expected, count);
                dequantizer.toFloat(tensor, start, count, FloatBuffer.wrap(found));
                sums[(int) chunk] = distance(expected, found, count);
            }
        });
        return Arrays.stream(sums).sum();
    }

    private static double distance(float[] expected, float[] found, int count) {
        double sum = 0;
        for (int i = 0; i < count; i++) {
            sum += Math.abs((double) expected[i] - found[i]);
        }

        return sum;
    }

    /** Length of the files that hold the weights of {@code folder}. */
    public static long fileBytes(WeightFolder folder) {
        try {
            long bytes = 0;
            for (SafetensorsFile file : folder.files()) {
                bytes += Files.size(file.path());
            }

            return bytes;
        } catch (IOException e) {
            throw new UncheckedIOException("Failed to read the length of " + folder.path(), e);
        }
    }
}
