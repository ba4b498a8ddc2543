package org.sparkqlora.spark.prepare;

import java.io.Serializable;

/**
 * The counts of a preparation: examples, rows, tokens, and refused lines.
 *
 * @param examples that rows were made of
 * @param rows made
 * @param tokens in the rows, padding not counted
 * @param trainedTokens prediction targets among them
 * @param truncated examples that were longer than a row
 * @param untrained examples that were left out, having no prediction target or two equal answers
 * @param bad lines that were no record
 */
public record PreparationCounts(
        long examples, long rows, long tokens, long trainedTokens, long truncated, long untrained, long bad)
        implements Serializable {
    public static final PreparationCounts NONE = new PreparationCounts(0, 0, 0, 0, 0, 0, 0);

    PreparationCounts plus(PreparationCounts other) {
        return new PreparationCounts(
                examples + other.examples,
                rows + other.rows,
                tokens + other.tokens,
                trainedTokens + other.trainedTokens,
                truncated + other.truncated,
                untrained + other.untrained,
                bad + other.bad);
    }
}
