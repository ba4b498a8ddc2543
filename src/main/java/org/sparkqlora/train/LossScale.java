package org.sparkqlora.train;

import java.io.DataInput;
import java.io.DataOutput;
import java.io.IOException;
import java.io.Serializable;

/**
 * The loss scale of a model in fp16, whose small numbers vanish below 6e-8. The rule and its numbers are
 * those of {@code torch.amp.GradScaler}: a step whose gradient is not finite is left out and halves the factor, and the factor doubles
 * after 2,000 finite steps in a row. A function of the gradients alone, so that every replica finds the same.
 *
 * @param factor on the gradient of the mean loss, a power of two
 * @param finiteInARow steps since the factor changed
 * @param leftOut steps that were left out so far
 */
public record LossScale(float factor, int finiteInARow, long leftOut) implements Serializable {
    /** Of the first step. */
    static final LossScale FIRST = new LossScale(0x1p16f, 0, 0);

    private static final float GROWTH = 2;
    private static final float BACKOFF = 0.5f;
    private static final int GROWTH_INTERVAL = 2000;

    /** A gradient of the mean loss that overflows by itself does so in later steps too. */
    private static final float SMALLEST = 1;

    /** That of the next step. */
    LossScale after(boolean finite) {
        if (!finite) {
            return new LossScale(factor * BACKOFF, 0, leftOut + 1);
        }

        if (finiteInARow + 1 < GROWTH_INTERVAL) {
            return new LossScale(factor, finiteInARow + 1, leftOut);
        }

        float grown = factor * GROWTH;
        return new LossScale(Float.isFinite(grown) ? grown : factor, 0, leftOut);
    }

    /** Whether a smaller factor may make the gradient finite. */
    boolean canShrink() {
        return factor > SMALLEST;
    }

    static LossScale read(DataInput in) throws IOException {
        return new LossScale(in.readFloat(), in.readInt(), in.readLong());
    }

    void write(DataOutput out) throws IOException {
        out.writeFloat(factor);
        out.writeInt(finiteInARow);
        out.writeLong(leftOut);
    }
}
