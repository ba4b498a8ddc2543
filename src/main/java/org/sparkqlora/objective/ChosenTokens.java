package org.sparkqlora.objective;

import java.util.List;
import org.sparkqlora.model.loss.LossTotal.Measures;
import org.sparkqlora.tokenizer.packing.TokenRow;
import org.sparkqlora.tokenizer.packing.TokenRow.DocumentRange;

/** The tokens of chosen answers in a batch, whose mean loss some objectives add to their losses of pairs. */
enum ChosenTokens {
    /** Those of the answers. */
    TRAINED {
        @Override
        int of(TokenRow row, DocumentRange chosen) {
            int count = 0;
            for (int t = chosen.from(); t < chosen.to(); t++) {
                count += row.trained()[t] ? 1 : 0;
            }

            return count;
        }
    },

    /** Those of prompts and answers, but the first of each, which nothing predicts. */
    WHOLE {
        @Override
        int of(TokenRow row, DocumentRange chosen) {
            return chosen.length() - 1;
        }
    };

    private static final String PAIRS_AND_TOKENS = "chosen tokens of pairs";

    abstract int of(TokenRow row, DocumentRange chosen);

    /** Tokens as a sum, and pairs as its count. */
    Measures of(List<TokenRow> rows) {
        long tokens = 0;
        long pairs = 0;
        for (TokenRow row : rows) {
            List<DocumentRange> documents = row.documents();
            for (int chosen = 0; chosen < documents.size(); chosen += 2) {
                tokens += of(row, documents.get(chosen));
                pairs++;
            }
        }

        return new Measures.Builder()
                .add(PAIRS_AND_TOKENS, new Measures.Sum(tokens, pairs))
                .build();
    }

    /** What a token's loss is multiplied by, so that a sum over the batch divided by its pairs is a mean over its tokens. */
    static double pairsAToken(Measures ofBatch) {
        return 1 / ofBatch.mean(PAIRS_AND_TOKENS);
    }
}
