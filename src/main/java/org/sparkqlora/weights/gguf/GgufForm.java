package org.sparkqlora.weights.gguf;

import java.util.regex.Pattern;
import org.sparkqlora.quant.FloatSource;

/**
 * The two forms of a family's weights: rows of queries and keys interleaved or not, and weights of norms counted from 0 or from
 * 1.
 */
record GgufForm(GgufArchitecture architecture, int headSize) {
    private static final Pattern TURNED = Pattern.compile(".*\\.attn_[qk]\\..*");

    /** The numbers of a GGUF file's tensor {@code name} as Hugging Face has them. */
    FloatSource huggingFace(String name, long[] shape, FloatSource stored) {
        if (isShifted(name)) {
            return new ShiftedFloats(stored, -1);
        }

        return isTurned(name) ? rows(shape, stored, HeadRows.Order.HUGGING_FACE) : stored;
    }

    /** The numbers of what becomes the tensor {@code name} of a GGUF file as it has them. */
    FloatSource gguf(String name, long[] shape, FloatSource values) {
        if (isShifted(name)) {
            return new ShiftedFloats(values, 1);
        }

        return isTurned(name) ? rows(shape, values, HeadRows.Order.GGUF) : values;
    }

    /** Hugging Face counts the weights of Gemma's norms from 0. */
    private boolean isShifted(String name) {
        return architecture.isGemma() && name.endsWith("norm.weight");
    }

    private boolean isTurned(String name) {
        return architecture.interleavesHeads() && TURNED.matcher(name).matches();
    }

    private FloatSource rows(long[] shape, FloatSource source, HeadRows.Order order) {
        int inputs = shape.length == 1 ? 1 : Math.toIntExact(shape[1]);
        return new HeadRows(source, inputs, headSize, order);
    }
}
