package org.sparkqlora.model;

import java.util.Optional;
import java.util.function.IntToDoubleFunction;
import org.bytedeco.pytorch.Tensor;
import org.jspecify.annotations.Nullable;
import org.sparkqlora.model.DocumentBatch.Document;
import org.sparkqlora.model.elementwise.DeviceMath;
import org.sparkqlora.model.layout.Precision;
import org.sparkqlora.tensor.Hardware;
import org.sparkqlora.tensor.RowMath;
import org.sparkqlora.tensor.TensorMemory;
import org.sparkqlora.tensor.TensorRows;
import org.sparkqlora.tensor.TensorScope;
import org.sparkqlora.weights.family.ModelConfig;
import org.sparkqlora.weights.family.RotarySpec;

/**
 * Rotary position embedding (arXiv 2104.09864) in Hugging Face's layout: element d of a head turns together with element
 * d + width / 2, by the angle position x frequency(d). Elements behind the first {@code width} of a head stay as they are.
 *
 * <p>Under YaRN cosines and sines carry its attention factor. They are rounded as activations are.
 *
 * @param cosines of each token, width / 2 each
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
    /** Cosines and sines, (tokens, 1, width / 2), float32. */
    record DeviceTables(Tensor cosine, Tensor sine) {}

    /** The rotation of heads of one size. */
    record Shape(RotarySpec spec, int headSize) {
        /** Of a layer; nothing where it does not turn. */
        static Optional<Shape> of(ModelConfig config, int layer) {
            return config.layerTraits().get(layer).rotary().map(spec -> new Shape(spec, config.headSize(layer)));
        }

        /** See {@link RotarySpec#frequencies}. */
        float[] frequencies(int length) {
            return spec.frequencies(headSize, length);
        }

        int pairs() {
            return spec.width(headSize) / 2;
        }
    }

    /** The rotations of queries and of keys: the same but for a factor that some families put on queries. */
    record QueryAndKey(Rotary query, Rotary key) {
        /** Tables for the tokens of {@code batch}; each document counts its positions, and its length, for itself. */
        static QueryAndKey of(DocumentBatch batch, Shape turn, Precision precision, Hardware hardware) {
            Rotary key = Rotary.of(batch, turn, precision, hardware, position -> 1);
            return new QueryAndKey(
                    turn.spec()
                            .queryScaling()
                            .map(scaling -> Rotary.of(batch, turn, precision, hardware, scaling::factor))
                            .orElse(key),
                    key);
        }
    }

    /** @param factor on what stands at a position */
    private static Rotary of(
            DocumentBatch batch, Shape turn, Precision precision, Hardware hardware, IntToDoubleFunction factor) {
        int pairs = turn.pairs();
        Rotary tables = new Rotary(
                new float[batch.ids().length][pairs],
                new float[batch.ids().length][pairs],
                new float[batch.ids().length][pairs],
                hardware,
                null);
        int token = 0;
        for (Document document : batch.documents()) {
            float[] frequencies = turn.frequencies(document.end());
            for (int position = document.past(); position < document.end(); position++) {
                double length = turn.spec().scaling().attentionFactor() * factor.applyAsDouble(position);
                tables.fill(token++, position, frequencies, (float) length, precision);
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
        int headSize = Math.toIntExact(input.size(2));
        int width = headSize * heads;
        hardware.rows().run(input.size(0), width, range -> {
            TensorRows rows = range.strided(input, width, input.stride(0));
            float[] row = new float[width];
            for (long token = range.from(); token < range.to(); token++) {
                rows.load(token, row);
                turn(row, headSize, cosines[(int) token], by[(int) token], range.math());
                rows.store(token, row);
            }
        });
        return input;
    }

    private static void turn(float[] row, int headSize, float[] cosine, float[] sine, RowMath math) {
        int half = cosine.length;
        if (2 * half == headSize) {
            math.turn(row, row.length / headSize, cosine, sine, half);
            return;
        }

        float[] turning = new float[2 * half];
        for (int at = 0; at < row.length; at += headSize) {
            System.arraycopy(row, at, turning, 0, turning.length);
            math.turn(turning, 1, cosine, sine, half);
            System.arraycopy(turning, 0, row, at, turning.length);
        }
    }
}
