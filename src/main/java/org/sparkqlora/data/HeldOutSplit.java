package org.sparkqlora.data;

import java.io.Serializable;
import org.sparkqlora.input.BadInputException;

/**
 * A split of the data: the rows held out of training, spread evenly, or the rest.
 *
 * @param heldOut the share that is held out
 * @param side which of the two
 */
public record HeldOutSplit(double heldOut, Side side) implements Serializable {
    /** All of the data: nothing is held out. */
    public static final HeldOutSplit ALL = new HeldOutSplit(0, Side.TRAINED);

    /** One of the two. */
    public enum Side {
        TRAINED,
        HELD_OUT
    }

    public HeldOutSplit {
        if (!(heldOut >= 0 && heldOut < 1)) {
            throw new BadInputException(
                    "Cannot hold out %s of the data: expected 0 or more and less than 1".formatted(heldOut));
        }
    }

    /** Whether the record with {@code before} records before it is in this split. */
    public boolean takes(long before) {
        boolean out = Math.floor((before + 1) * heldOut) > Math.floor(before * heldOut);
        return (side == Side.HELD_OUT) == out;
    }
}
