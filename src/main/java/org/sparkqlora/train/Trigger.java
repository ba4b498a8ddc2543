package org.sparkqlora.train;

import org.sparkqlora.input.BadInputException;

/** Decides after each step whether a checkpoint or an evaluation is due. It is asked once a step, in order, and may keep state. */
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
     * The progress of a run.
     *
     * @param step steps taken
     * @param epoch in which the next row lies, counted from 1
     * @param loss of the latest step; infinite before the first of this process
     */
    record Progress(long step, long epoch, double loss) {}
}
