package org.sparkqlora.train;

/**
 * What happens besides training, and always at its end; it changes no byte of the adapter.
 *
 * @param checkpoint when to keep the State
 * @param evaluate when to take the loss over held-out rows
 */
public record Rhythm(Occasion checkpoint, Occasion evaluate) {
    /** Checkpoints and evaluates at the end. */
    public static Rhythm atEnd() {
        return new Rhythm(Occasion.every(0), Occasion.every(0));
    }

    void begin(Occasion.Progress from) {
        checkpoint.begin(from);
        evaluate.begin(from);
    }
}
