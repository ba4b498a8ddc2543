package org.sparkqlora.quant;

/**
 * Scales as they were measured.
 *
 * @param absmax the largest absolute value of every block
 */
public record PlainScales(float[] absmax) implements BlockScales {
    public PlainScales {
        absmax = BlockArithmetic.requireFinite(absmax, "absmax").clone();
    }

    @Override
    public float[] absmax() {
        return absmax.clone();
    }

    @Override
    public int count() {
        return absmax.length;
    }

    @Override
    public void read(int fromBlock, int count, float[] target) {
        System.arraycopy(absmax, fromBlock, target, 0, count);
    }

    @Override
    public long byteSize() {
        return (long) Float.BYTES * absmax.length;
    }
}
