package org.sparkqlora.objective;

import java.util.List;
import java.util.Optional;
import java.util.function.Function;
import org.sparkqlora.model.AnswerLoss;
import org.sparkqlora.model.AnswerLoss.Answers;
import org.sparkqlora.model.LossTotal.Measures;
import org.sparkqlora.tokenizer.TokenRow;

/**
 * SimPO (arXiv 2405.14734): {@code -log sigma(b (mean log pi of the chosen tokens - that of the rejected) - gamma)}; with a factor on the mean
 * loss of the step's chosen tokens it is CPO-SimPO.
 *
 * @param beta b
 * @param gamma the margin that is asked for
 * @param labelSmoothing share of pairs that are thought to be the wrong way round
 * @param cpoAlpha factor on the loss of chosen tokens
 */
public record SimplePreference(double beta, double gamma, double labelSmoothing, double cpoAlpha)
        implements AnswerObjective {
    public SimplePreference {
        AnswerChecks.requirePositive("beta", beta);
        AnswerChecks.requireNotNegative("simpo-gamma", gamma);
        AnswerChecks.requireSmoothing(labelSmoothing);
        AnswerChecks.requireNotNegative("cpo-alpha", cpoAlpha);
    }

    @Override
    public ObjectiveKind kind() {
        return ObjectiveKind.SIMPO;
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
        return new ContrastiveLoss(beta, gamma, labelSmoothing, ofTokens, ContrastiveLoss.Answer.MEAN);
    }
}
