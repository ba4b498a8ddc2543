package org.sparkqlora.model.loss;

import java.util.Arrays;

/** A loss of a micro-batch as a function of the scores that a head gives to its documents. */
public interface ScoreLoss {
    /**
     * The loss of {@code scores}.
     *
     * @param derivatives takes d loss / d score for each of {@code scores.all()}; zeros before
     */
    LossTotal of(Scores scores, float[] derivatives);

    /**
     * The scores of the documents of a micro-batch.
     *
     * @param all (documents, outputs) in row-major order
     * @param outputs of the head for a document
     * @param values numbers of the documents, as their rows hold them
     * @param tokens trained tokens of each document
     */
    record Scores(float[] all, int outputs, double[] values, int[] tokens) {
        public int documents() {
            return tokens.length;
        }

        /** Documents {@code first} to {@code first + count - 1} alone. */
        public Scores only(int first, int count) {
            int each = values.length / documents();
            return new Scores(
                    Arrays.copyOfRange(all, first * outputs, (first + count) * outputs),
                    outputs,
                    Arrays.copyOfRange(values, first * each, (first + count) * each),
                    Arrays.copyOfRange(tokens, first, first + count));
        }

        public float score(int document, int output) {
            return all[document * outputs + output];
        }

        /** Value {@code number} of {@code document}. */
        public double value(int document, int number) {
            return values[document * (values.length / documents()) + number];
        }
    }
}
