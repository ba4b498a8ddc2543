package org.sparkqlora.weights.gguf;

import org.sparkqlora.quant.FloatSource;

/**
 * A tensor of a GGUF file that holds a tensor of Hugging Face, or one of several equal parts of its rows.
 *
 * @param name as GGUF calls it
 * @param index of the part, from 0 on
 * @param parts their number
 */
record GgufPart(String name, int index, int parts) {
    /** A whole tensor. */
    GgufPart(String name) {
        this(name, 0, 1);
    }

    /** The shape of the part of a tensor of shape {@code whole}. */
    long[] shape(long[] whole) {
        long[] shape = whole.clone();
        shape[0] /= parts;
        return shape;
    }

    /** The numbers of the part of a tensor. */
    FloatSource of(FloatSource whole) {
        return parts == 1 ? whole : new Range(whole, whole.length() / parts * index, whole.length() / parts);
    }

    private record Range(FloatSource source, long start, long length) implements FloatSource {
        @Override
        public void read(long from, float[] target, int count) {
            source.read(start + from, target, count);
        }
    }
}
