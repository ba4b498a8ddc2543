package org.sparkqlora.objective;

import java.util.List;
import java.util.Optional;
import java.util.function.Function;
import org.sparkqlora.model.loss.AnswerLoss;
import org.sparkqlora.model.loss.AnswerLoss.Answers;
import org.sparkqlora.model.loss.LossTotal.Measures;
import org.sparkqlora.tokenizer.packing.TokenRow;

/**
 * A loss of answers. The model gives the log-probabilities of their tokens and takes the derivatives with respect to them; what
 * couples the answers of a step goes through sums over its batch, so that no number depends on shards or micro-batches.
 */
public sealed interface AnswerObjective extends Objective
        permits DirectPreference, KahnemanTversky, OddsRatio, ContrastivePreference {
    /** The model that answers are measured from; empty where there is none. */
    default Optional<Reference> reference() {
        return Optional.empty();
    }

    /**
     * The log-probabilities that a model gives to the answers of a row, each in its document's place, as the loss takes them of a reference.
     *
     * @param score the tokens of rows with their losses
     */
    default double[] logProbabilities(TokenRow row, Function<List<TokenRow>, Answers> score) {
        throw new IllegalStateException("Cannot score answers for %s, which has no reference".formatted(kind()));
    }

    /** Documents of an example in {@link #trained} rows. */
    default int documents() {
        return 2;
    }

    /** The part of a row that the loss is of. */
    default TokenRow trained(TokenRow row) {
        return row;
    }

    /**
     * What some rows add to the sums over the step's batch; nothing where none are needed.
     *
     * @param score the tokens of rows with their losses by model and reference
     */
    default Measures batchSums(List<TokenRow> rows, Function<List<TokenRow>, Answers> score) {
        return Measures.NONE;
    }

    /**
     * The loss of answers, given the sums over the batch that they are of.
     *
     * @param ofBatch those of {@link #batchSums}, added up
     */
    AnswerLoss loss(Measures ofBatch);
}
