package org.sparkqlora.objective;

import org.sparkqlora.model.loss.AnswerLoss.Answers;

/**
 * The answers of a micro-batch and the derivatives of their loss: {@code weights[i]} is d loss / d (-log p of token i).
 *
 * @param tail factor on the tokens that the longer answer of a pair has more, see {@link DirectPreference}
 * @param column of the reference's log-probabilities among the values of documents, where they were made before
 */
record AnswerWeights(Answers answers, float[] weights, double tail, int column) {
    /** Of an objective without a reference. */
    AnswerWeights(Answers answers, float[] weights) {
        this(answers, weights, 1, Integer.MAX_VALUE);
    }

    int pairs() {
        return answers.documents() / 2;
    }

    int tokens(int document) {
        return answers.tokens(document);
    }

    /** log pi of the answer in {@code document}. */
    double logProbability(int document) {
        return sum(answers.losses(), document);
    }

    /** log ref of the answer in {@code document}. */
    double reference(int document) {
        float[] losses = answers.reference();
        if (losses != null) {
            return sum(losses, document);
        }

        if (answers.values().length / answers.documents() <= column) {
            throw new IllegalStateException("Cannot measure answers from a reference: there is none");
        }

        return answers.value(document, column);
    }

    /** log pi - log ref of the answer in {@code document}. */
    double score(int document) {
        return logProbability(document) - reference(document);
    }

    private double sum(float[] losses, int document) {
        double sum = 0;
        for (int i = answers.from(document); i < answers.to(document); i++) {
            sum -= factor(document, i) * losses[i];
        }

        return sum;
    }

    /** Sum of -log p over all predicted tokens of {@code document}, also those of its prompt. */
    double wholeLoss(int document) {
        double sum = 0;
        for (int i = answers.starts()[document]; i < answers.to(document); i++) {
            sum += answers.losses()[i];
        }

        return sum;
    }

    /** Predicted tokens of {@code document}, also those of its prompt. */
    int wholeTokens(int document) {
        return answers.to(document) - answers.starts()[document];
    }

    /** Adds d loss / d log pi of the answer in {@code document}. */
    void addDerivative(int document, double derivative) {
        for (int i = answers.from(document); i < answers.to(document); i++) {
            weights[i] -= (float) (factor(document, i) * derivative);
        }
    }

    /** Adds d loss / d (-log p) of all predicted tokens of {@code document}. */
    void addWhole(int document, double derivative) {
        for (int i = answers.starts()[document]; i < answers.to(document); i++) {
            weights[i] += (float) derivative;
        }
    }

    private double factor(int document, int token) {
        if (tail == 1) {
            return 1;
        }

        int shared = Math.min(tokens(document), tokens(document ^ 1));
        return token - answers.from(document) < shared ? 1 : tail;
    }
}
