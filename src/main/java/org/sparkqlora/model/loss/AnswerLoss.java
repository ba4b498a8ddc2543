package org.sparkqlora.model.loss;

import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * A loss of a micro-batch as a function of the log-probabilities of its trained tokens. The gradient of the model is that of
 * {@code sum of weights[i] * losses[i]}, the weights held fixed: the chain rule, whatever the loss is.
 */
public interface AnswerLoss {
    /**
     * The loss of {@code answers}.
     *
     * @param weights takes the derivative with respect to each of {@code answers.losses()}; zeros before
     */
    LossTotal of(Answers answers, float[] weights);

    /** The tokens whose log-probabilities it takes. */
    default Predicted predicted() {
        return Predicted.TRAINED;
    }

    /** Whether it takes measures of the distributions of tokens. */
    default boolean measuresTokens() {
        return false;
    }

    /** {@code loss}, which takes measures of the distributions of trained tokens. */
    static AnswerLoss measuringTokens(AnswerLoss loss) {
        return new AnswerLoss() {
            @Override
            public LossTotal of(Answers answers, float[] weights) {
                return loss.of(answers, weights);
            }

            @Override
            public boolean measuresTokens() {
                return true;
            }
        };
    }

    /** Tokens of a row that are predicted. */
    enum Predicted {
        /** Those that are trained. */
        TRAINED,
        /** Of the documents at even places all tokens but the first, of the others those that are trained. */
        CHOSEN_WHOLE
    }

    /**
     * The predicted tokens of the documents of a micro-batch, document after document.
     *
     * @param losses -log p of each token, in nats
     * @param reference the same by the reference model; null where there is none
     * @param starts first token of each document, then the count of tokens
     * @param prompts predicted tokens of each document before its first trained one
     * @param values numbers of the documents, as their rows hold them
     * @param measures of the tokens; null where nobody asked for them
     */
    record Answers(
            float[] losses,
            float @Nullable [] reference,
            int[] starts,
            int[] prompts,
            double[] values,
            @Nullable TokenMeasures measures) {
        public int documents() {
            return prompts.length;
        }

        /** Documents {@code first} to {@code first + count - 1} alone. */
        public Answers only(int first, int count) {
            int from = starts[first];
            int to = starts[first + count];
            int[] shifted = Arrays.stream(starts, first, first + count + 1)
                    .map(start -> start - from)
                    .toArray();
            int each = values.length / documents();
            return new Answers(
                    Arrays.copyOfRange(losses, from, to),
                    reference == null ? null : Arrays.copyOfRange(reference, from, to),
                    shifted,
                    Arrays.copyOfRange(prompts, first, first + count),
                    Arrays.copyOfRange(values, first * each, (first + count) * each),
                    measures == null ? null : measures.only(from, to));
        }

        /** First token of the answer of {@code document}. */
        public int from(int document) {
            return starts[document] + prompts[document];
        }

        /** Behind the last token of {@code document}. */
        public int to(int document) {
            return starts[document + 1];
        }

        /** Tokens of the answer of {@code document}. */
        public int tokens(int document) {
            return to(document) - from(document);
        }

        /** Value {@code number} of {@code document}. */
        public double value(int document, int number) {
            return values[document * (values.length / documents()) + number];
        }
    }
}
