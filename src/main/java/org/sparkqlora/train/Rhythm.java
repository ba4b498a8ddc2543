package org.sparkqlora.train;

/**
 * What happens every so many steps besides training; it changes no byte of the adapter.
 *
 * @param checkpointEvery steps between checkpoints; 0: only at the end
 * @param evaluateEvery steps between evaluations; 0: only at the end
 */
public record Rhythm(int checkpointEvery, int evaluateEvery) {
    public Rhythm {
        if (checkpointEvery < 0 || evaluateEvery < 0) {
            throw new IllegalArgumentException(
                    "Cannot checkpoint every %d and evaluate every %d steps: expected 0 (only at the end) or more"
                            .formatted(checkpointEvery, evaluateEvery));
        }
    }

    /** Checkpoints and evaluates at the end. */
    public static Rhythm atEnd() {
        return new Rhythm(0, 0);
    }

    boolean checkpointAfter(long step, long last) {
        return due(checkpointEvery, step, last);
    }

    boolean evaluateAfter(long step, long last) {
        return due(evaluateEvery, step, last);
    }

    private static boolean due(int every, long step, long last) {
        return step == last || (every > 0 && step % every == 0);
    }
}
