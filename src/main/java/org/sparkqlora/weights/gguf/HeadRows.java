package org.sparkqlora.weights.gguf;

import org.sparkqlora.quant.FloatSource;

/**
 * A query or key weight, or a bias, with the rows of each head in another order. ggml's first way of rotation turns neighbouring
 * rows of a head; Hugging Face turns row {@code j} with row {@code j + headSize / 2}.
 *
 * @param source the numbers in the order that they have now
 * @param inputs length of a row
 * @param headSize rows a head
 * @param order the order that they get
 */
record HeadRows(FloatSource source, int inputs, int headSize, Order order) implements FloatSource {
    /** Where the halves of a head are. */
    enum Order {
        /** One after the other, from a GGUF file's rows. */
        HUGGING_FACE,
        /** Interleaved, from Hugging Face's rows. */
        GGUF
    }

    @Override
    public long length() {
        return source.length();
    }

    @Override
    public void read(long from, float[] target, int count) {
        float[] row = new float[inputs];
        for (int done = 0; done < count; ) {
            long at = from + done;
            source.read(sourceRow(at / inputs) * inputs, row, inputs);
            int skip = (int) (at % inputs);
            int taken = Math.min(inputs - skip, count - done);
            System.arraycopy(row, skip, target, done, taken);
            done += taken;
        }
    }

    private long sourceRow(long row) {
        int inHead = (int) (row % headSize);
        int half = headSize / 2;
        return row
                - inHead
                + switch (order) {
                    case HUGGING_FACE -> inHead % half * 2 + inHead / half;
                    case GGUF -> inHead % 2 * half + inHead / 2;
                };
    }
}
