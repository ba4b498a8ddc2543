package org.sparkqlora.weights.gguf;

import org.sparkqlora.quant.FloatSource;

/**
 * A query or key weight with the rows of each head in Hugging Face's order: its first half of the head's rows are the even
 * ones of the GGUF file, its second half the odd ones.
 *
 * @param stored as the file has it
 * @param inputs length of a row
 * @param headSize rows a head
 */
record HeadRows(FloatSource stored, int inputs, int headSize) implements FloatSource {
    @Override
    public long length() {
        return stored.length();
    }

    @Override
    public void read(long from, float[] target, int count) {
        float[] row = new float[inputs];
        for (int done = 0; done < count; ) {
            long at = from + done;
            stored.read(storedRow(at / inputs) * inputs, row, inputs);
            int skip = (int) (at % inputs);
            int taken = Math.min(inputs - skip, count - done);
            System.arraycopy(row, skip, target, done, taken);
            done += taken;
        }
    }

    private long storedRow(long row) {
        int inHead = (int) (row % headSize);
        int half = headSize / 2;
        return row - inHead + inHead % half * 2 + inHead / half;
    }
}
