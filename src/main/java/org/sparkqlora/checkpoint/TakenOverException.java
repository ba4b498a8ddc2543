package org.sparkqlora.checkpoint;

/** Another driver has claimed the checkpoint folder since: this one must stop. */
public final class TakenOverException extends IllegalStateException {
    private static final long serialVersionUID = 1L;

    TakenOverException(String message) {
        super(message);
    }
}
