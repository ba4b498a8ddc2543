package org.sparkqlora.train;

import java.util.List;
import org.sparkqlora.model.loss.ScoreLoss.Scores;
import org.sparkqlora.tokenizer.packing.TokenRow;

/** A bound model whose head scores texts. */
public interface ScoringModel extends BoundModel {
    /** The scores of the documents of {@code rows}. */
    Scores scores(List<TokenRow> rows);
}
