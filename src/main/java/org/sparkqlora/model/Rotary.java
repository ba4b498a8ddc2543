package org.sparkqlora.model;

import org.bytedeco.pytorch.Tensor;
import org.jspecify.annotations.Nullable;
import org.sparkqlora.model.DocumentBatch.Document;
import org.sparkqlora.tensor.Hardware;
import org.sparkqlora.tensor.TensorMemory;
import org.sparkqlora.tensor.TensorRows;
import org.sparkqlora.tensor.TensorScope;
import org.sparkqlora.weights.family.RotarySpec;

/**
 * Rotary position embedding (arXiv 2104.09864) in Hugging Face's layout: element d of a head turns together with element
 * d + headSize / 2, by the angle position x frequency(d).
 *
 * <p>Under YaRN cosines and sines carry its attention factor. They are rounded as activations are.
 *
 * @param cosines of each token, headSize / 2 each
 * @param sines the same for sines
 * @param backSines the same for the opposite angles
 * @param tables the same on a device; null where rows of tensors are read
 */
record Rotary(
        float[][] cosines,
        float[][] sines,
        float[][] backSines,
        Hardware hardware,
        @Nullable DeviceTables tables) {
    /** Cosines and sines, (tokens, 1, headSize / 2), float32. */
    record DeviceTables(Tensor cosine, Tensor sine) {}

    /** Tables for the tokens of {@code batch}; each document counts its positions, and its length, for itself. */
    static Rotary of(DocumentBatch batch, RotarySpec spec, int headSize, Precision precision, Hardware hardware) {
        int pairs = headSize / 2;
        Rotary tables = new Rotary(
                new float[batch.ids().length][pairs],
                new float[batch.ids().length][pairs],
                new float[batch.ids().length][pairs],
                hardware,
                null);
        int token = 0;
        for (Document document : batch.documents()) {
            float[] frequencies = spec.frequencies(headSize, document.end());
            for (int position = document.past(); position < document.end(); position++) {
                tables.fill(
                        token++, position, frequencies, (float) spec.scaling().attentionFactor(), precision);
            }
        }

        return hardware.isHostAccessible() ? tables : tables.onDevice(pairs);
    }

    private Rotary onDevice(int pairs) {
        DeviceTables copies = new DeviceTables(copied(cosines, pairs), copied(sines, pairs));
        return new Rotary(cosines, sines, backSines, hardware, copies);
    }

    private Tensor copied(float[][] table, int pairs) {
        float[] flat = new float[table.length * pairs];
        for (int token = 0; token < table.length; token++) {
            System.arraycopy(table[token], 0, flat, token * pairs, pairs);
        }

        return hardware.on(TensorMemory.floats(flat, table.length, 1, pairs));
    }

    private void fill(int token, int position, float[] frequencies, float factor, Precision precision) {
        for (int i = 0; i < frequencies.length; i++) {
            float angle = position * frequencies[i];
            float cosine = (float) Math.cos(angle) * factor;
            float sine = (float) Math.sin(angle) * factor;
            cosines[token][i] = precision.rounded(cosine);
            sines[token][i] = precision.rounded(sine);
            backSines[token][i] = -sines[token][i];
        }
    }

    /** Turns (tokens, heads, headSize), on the processor in place. */
    Tensor forward(Tensor input) {
        return tables == null
                ? turn(input, sines)
                : TensorScope.keep(() -> DeviceMath.turned(input, tables.cosine(), tables.sine()));
    }

    /** The gradient of the input: the gradient of the output, turned back, on the processor in place. */
    Tensor backward(Tensor outputGradient) {
        return tables == null
                ? turn(outputGradient, backSines)
                : TensorScope.keep(() -> DeviceMath.turned(
                        outputGradient, tables.cosine(), tables.sine().neg()));
    }

    private Tensor turn(Tensor input, float[][] by) {
        int heads = Math.toIntExact(input.size(1));
        int half = Math.toIntExact(input.size(2) / 2);
        int width = 2 * half * heads;
        hardware.rows().run(input.size(0), width, range -> {
            TensorRows rows = range.strided(input, width, input.stride(0));
            float[] row = new float[width];
            for (long token = range.from(); token < range.to(); token++) {
                rows.load(token, row);
                range.math().turn(row, heads, cosines[(int) token], by[(int) token], half);
                rows.store(token, row);
            }
        });
        return input;
    }
}
