package org.sparkqlora.train;

import org.sparkqlora.input.BadInputException;

/** When something besides training happens. It may remember what it was asked, which is once a step and in their order. */
public interface Trigger {
    /** After every so many steps; 0: never. */
    static Trigger every(int steps) {
        if (steps < 0) {
            throw new BadInputException(
                    "Cannot do something every %d steps: expected 0 (only at the end) or more".formatted(steps));
        }

        return progress -> steps > 0 && progress.step() % steps == 0;
    }

    /** Training goes on from here; {@link #isNow} will be asked after the next step. */
    default void begin(Progress from) {}

    boolean isNow(Progress progress);

    /**
     * How far a run is.
     *
     * @param step steps taken
     * @param epoch in which the next row lies, counted from 1
     * @param loss of the latest step; infinite before the first of this process
     */
    record Progress(long step, long epoch, double loss) {}
}
