package org.sparkqlora.run.monitor;

import java.util.Locale;
import java.util.function.Consumer;
import org.sparkqlora.options.Console;
import org.sparkqlora.train.metrics.ProgressReporter;
import org.sparkqlora.train.metrics.StepMetrics;

/**
 * Tells, once, that a model predicts no better than chance: its loss is {@code ln(vocabulary)}, that of equal chances for all tokens,
 * or more, or not a number. A model may begin so, before it has learned anything; of training it is told when the loss comes back to
 * there, or never left.
 */
public final class DeadModel implements ProgressReporter {
    /** A model that was just made hovers about chance; below this share of it, it has learned something. */
    private static final double LEARNED = 0.9;

    private final double chance;
    private final Consumer<String> tell;
    private long steps;
    private boolean alive;
    private boolean told;

    /** @param vocabulary tokens of the model */
    public DeadModel(int vocabulary, Consumer<String> tell) {
        this.chance = Math.log(vocabulary);
        this.tell = tell;
    }

    @Override
    public void started(long doneSteps, long allSteps) {
        steps = allSteps;
    }

    @Override
    public void stepDone(StepMetrics step) {
        boolean dead = isDead(step.loss());
        if (dead && (alive || step.step() == steps)) {
            tell(String.format(Locale.ROOT, "the loss of step %d", step.step()), step.loss());
        }

        alive |= step.loss() < LEARNED * chance;
    }

    @Override
    public void evaluated(long step, double loss) {
        evaluated(String.format(Locale.ROOT, "the held-out loss of step %d", step), loss);
    }

    /** Of an evaluation. */
    public void evaluated(String what, double loss) {
        if (isDead(loss)) {
            tell(what, loss);
        }
    }

    private boolean isDead(double loss) {
        return !(loss < chance);
    }

    private void tell(String what, double loss) {
        if (!told) {
            tell.accept(
                    ("%s%s is %s, and chance alone gives %s (ln of the vocabulary): the model predicts nothing. Is the learning"
                                    + " rate too high, or are weights and tokenizer of two models?")
                            .formatted(Console.WARNING, what, number(loss), number(chance)));
            told = true;
        }
    }

    private static String number(double value) {
        return String.format(Locale.ROOT, "%.4f", value);
    }
}
