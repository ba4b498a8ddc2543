package org.sparkqlora.objective;

import org.sparkqlora.input.BadInputException;

/** Bounds that several objectives share. */
final class AnswerChecks {
    private AnswerChecks() {}

    static void requirePositive(String what, double value) {
        if (!(value > 0) || Double.isInfinite(value)) {
            throw new BadInputException("Cannot take %s %s: expected more than 0".formatted(what, value));
        }
    }

    static void requireNotNegative(String what, double value) {
        if (!(value >= 0) || Double.isInfinite(value)) {
            throw new BadInputException("Cannot take %s %s: expected 0 or more".formatted(what, value));
        }
    }

    static void requireSmoothing(double value) {
        if (!(value >= 0 && value < 0.5)) {
            throw new BadInputException("Cannot take label smoothing %s: expected 0 to less than 0.5".formatted(value));
        }
    }
}
