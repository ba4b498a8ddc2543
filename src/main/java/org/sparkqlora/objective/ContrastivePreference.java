package org.sparkqlora.objective;

import java.util.List;
import java.util.Optional;
import java.util.function.Function;
import org.sparkqlora.model.AnswerLoss;
import org.sparkqlora.model.AnswerLoss.Answers;
import org.sparkqlora.model.LossTotal.Measures;
import org.sparkqlora.tokenizer.TokenRow;

/**
 * CPO (arXiv 2401.08417): {@code -log sigma(b (log pi of the chosen - log pi of the rejected))} and the mean loss of the step's chosen
 * tokens.
 *
 * @param beta b
 * @param labelSmoothing share of pairs that are thought to be the wrong way round
 * @param cpoAlpha factor on the loss of chosen tokens
 */
public record ContrastivePreference(double beta, double labelSmoothing, double cpoAlpha) implements AnswerObjective {
    public ContrastivePreference {
        AnswerChecks.requirePositive("beta", beta);
        AnswerChecks.requireSmoothing(labelSmoothing);
        AnswerChecks.requireNotNegative("cpo-alpha", cpoAlpha);
    }

    @Override
    public ObjectiveKind kind() {
        return ObjectiveKind.CPO;
    }

    @Override
    public Optional<Reference> reference() {
        return Optional.empty();
    }

    @Override
    public boolean needsBatchSums() {
        return cpoAlpha > 0;
    }

    @Override
    public Measures batchSums(List<TokenRow> rows, Function<List<TokenRow>, Answers> score) {
        return needsBatchSums() ? ChosenTokens.TRAINED.of(rows) : Measures.NONE;
    }

    @Override
    public AnswerLoss loss(Measures ofBatch) {
        double ofTokens = needsBatchSums() ? cpoAlpha * ChosenTokens.pairsAToken(ofBatch) : 0;
        return new ContrastiveLoss(beta, 0, labelSmoothing, ofTokens, ContrastiveLoss.Answer.SUMMED);
    }
}
