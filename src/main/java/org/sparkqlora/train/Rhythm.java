package org.sparkqlora.train;

/**
 * What happens besides training, and always at its end; but for the end itself, it changes no byte of the adapter.
 *
 * @param checkpoint when to keep the State
 * @param evaluate when to take the loss over held-out rows
 * @param patience evaluations without a better one after which training ends early; 0: it never does
 */
public record Rhythm(Occasion checkpoint, Occasion evaluate, int patience) {
    /** To the end of the plan. */
    public Rhythm(Occasion checkpoint, Occasion evaluate) {
        this(checkpoint, evaluate, 0);
    }

    /** Checkpoints and evaluates at the end. */
    public static Rhythm atEnd() {
        return new Rhythm(Occasion.every(0), Occasion.every(0));
    }

    void begin(Occasion.Progress from) {
        checkpoint.begin(from);
        evaluate.begin(from);
    }
}
