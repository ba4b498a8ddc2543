package org.sparkqlora.train;

import java.util.Optional;

/**
 * The triggers of checkpoints and evaluations; both also happen at the end. Except for an early end, they change no byte of the adapter.
 *
 * @param checkpoint when to keep the State
 * @param evaluate when to take the loss over held-out rows and sample answers; empty where there is nothing to evaluate
 * @param patience evaluations without a better one after which training ends early; 0: it never does
 */
public record TrainTriggers(Trigger checkpoint, Optional<Trigger> evaluate, int patience) {
    void begin(Trigger.Progress from) {
        checkpoint.begin(from);
        evaluate.ifPresent(trigger -> trigger.begin(from));
    }
}
