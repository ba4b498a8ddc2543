package org.sparkqlora.model;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.sparkqlora.input.BadInputException;
import org.sparkqlora.model.loss.AnswerLoss.Answers;
import org.sparkqlora.model.loss.AnswerLoss.Predicted;
import org.sparkqlora.model.loss.ScoreLoss.Scores;
import org.sparkqlora.model.loss.TokenMeasures;
import org.sparkqlora.tokenizer.packing.TokenRow;
import org.sparkqlora.tokenizer.packing.TokenRow.DocumentRange;

/**
 * The documents of a micro-batch, one after the other. Positions count from 0 in each document, and each document is a sequence of
 * its own, so packed documents cannot see each other.
 *
 * <p>Behind them come rows of no document, up to a multiple of {@link #ROWS}: libtorch compiles and keeps a kernel for each shape it
 * meets, so that documents of any length would cost time and memory without end. What such a row holds is finite and looked at by
 * none, and its gradients are zero.
 */
final class DocumentBatch {
    /** The row count of a pass is a multiple of this. */
    static final int ROWS = 32;

    /** Least tokens of a prompt that are shared: of few there is little to save, and their keys and values are copied. */
    static final int LEAST_SHARED = 16;

    /**
     * Tokens {@code start .. start + length - 1} of the batch.
     *
     * @param past tokens of the document before these, whose keys and values are kept or those of another document
     * @param firstKey where its keys begin: among those of the batch, or 0 where they are put together for it alone
     * @param shared where in the batch its {@code past} tokens stand, with which another document begins; -1 where they do not
     */
    record Document(int start, int length, int past, int firstKey, int shared) {
        boolean isSharing() {
            return shared >= 0;
        }

        /** Behind the document's last position. */
        int end() {
            return past + length;
        }
    }

    private final List<Document> documents = new ArrayList<>();
    private int[] ids;
    private final int[] predictors;
    private final int[] targets;
    private final int[] targetDocuments;
    private final Predicted predicted;
    private final List<Integer> prompts = new ArrayList<>();
    private final List<Integer> scored = new ArrayList<>();
    private final List<Integer> trainedTokens = new ArrayList<>();
    private final double[] values;
    private int tokens;
    private int trained;

    /** The next tokens of a document of which {@code past} have passed before. */
    record Piece(int[] ids, int past) {}

    private DocumentBatch(List<Piece> pieces, int rows) {
        this.ids = new int[rows];
        this.predictors = new int[0];
        this.targets = new int[0];
        this.targetDocuments = new int[0];
        this.predicted = Predicted.TRAINED;
        this.values = new double[0];
        for (Piece piece : pieces) {
            System.arraycopy(piece.ids(), 0, ids, tokens, piece.ids().length);
            int firstKey = piece.past() == 0 ? tokens : 0;
            documents.add(new Document(tokens, piece.ids().length, piece.past(), firstKey, -1));
            tokens += piece.ids().length;
        }
    }

    DocumentBatch(List<TokenRow> rows) {
        this(rows, Predicted.TRAINED);
    }

    DocumentBatch(List<TokenRow> rows, Predicted predicted) {
        int capacity = rows.stream().mapToInt(TokenRow::length).sum();
        this.ids = new int[roundUp(capacity)];
        this.predictors = new int[capacity];
        this.targets = new int[capacity];
        this.targetDocuments = new int[capacity];
        this.predicted = predicted;
        this.values = rows.stream()
                .flatMapToDouble(row -> Arrays.stream(row.values()))
                .toArray();
        rows.forEach(this::addRow);
        ids = Arrays.copyOf(ids, roundUp(tokens));
        if (documents.isEmpty()) {
            throw new BadInputException(
                    "Cannot run a micro-batch of %d rows: it holds no token".formatted(rows.size()));
        }
    }

    /** A batch of one document without a trained token, its first {@code past} tokens having passed before. */
    static DocumentBatch continued(int[] ids, int past) {
        return new DocumentBatch(List.of(new Piece(ids, past)), ids.length);
    }

    /** Pieces of documents without a trained token. */
    static DocumentBatch continued(List<Piece> pieces) {
        int tokens = pieces.stream().mapToInt(piece -> piece.ids().length).sum();
        return new DocumentBatch(pieces, roundUp(tokens));
    }

    private void addRow(TokenRow row) {
        List<DocumentRange> ranges = row.documents();
        for (int d = 0; d < ranges.size(); d++) {
            DocumentRange range = ranges.get(d);
            boolean second = row.pairs() && d % 2 == 1;
            addDocument(row, range, second ? shared(row, ranges.get(d - 1), range) : 0);
        }
    }

    /**
     * The tokens with which two documents begin and that pass once for both. The last token of the prompt passes twice: it predicts the
     * first one of either answer.
     */
    private static int shared(TokenRow row, DocumentRange first, DocumentRange second) {
        int most = Math.min(first.length(), second.length());
        int same = 0;
        while (same + 1 < most
                && row.ids()[first.from() + same] == row.ids()[second.from() + same]
                && !row.trained()[first.from() + same + 1]
                && !row.trained()[second.from() + same + 1]) {
            same++;
        }

        return same < LEAST_SHARED ? 0 : same;
    }

    /** @param shared its first tokens, which are those of the document before it */
    private void addDocument(TokenRow row, DocumentRange range, int shared) {
        int[] rowIds = row.ids();
        boolean[] rowTrained = row.trained();
        int start = tokens;
        boolean whole = predicted == Predicted.CHOSEN_WHOLE && documents.size() % 2 == 0;
        int prompt = 0;
        int last = -1;
        int targetsBefore = trained;
        boolean answered = false;
        for (int t = range.from() + shared; t < range.to(); t++) {
            ids[tokens] = rowIds[t];
            boolean target = t + 1 < range.to() && rowTrained[t + 1];
            answered |= target;
            last = target ? tokens + 1 : last;
            if (target || whole && t + 1 < range.to()) {
                prompt += answered ? 0 : 1;
                addTarget(rowIds[t + 1]);
            }

            tokens++;
        }

        prompts.add(prompt);
        scored.add(last < 0 ? tokens - 1 : last);
        trainedTokens.add(trained - targetsBefore);
        int prompted = shared == 0 ? -1 : documents.get(documents.size() - 1).start();
        documents.add(new Document(start, tokens - start, shared, shared == 0 ? start : 0, prompted));
    }

    private void addTarget(int id) {
        predictors[trained] = tokens;
        targets[trained] = id;
        targetDocuments[trained] = documents.size();
        trained++;
    }

    List<Document> documents() {
        return documents;
    }

    int tokens() {
        return tokens;
    }

    /** {@code count}, or the next multiple of {@link #ROWS}. */
    static int roundUp(int count) {
        return (count + ROWS - 1) / ROWS * ROWS;
    }

    /** Of each row of the pass: those of the tokens, and zeros behind them. */
    int[] ids() {
        return ids;
    }

    /** Tokens whose successor is predicted, ascending. */
    int[] predictors() {
        return Arrays.copyOf(predictors, trained);
    }

    /** The successor of each predictor. */
    int[] targets() {
        return Arrays.copyOf(targets, trained);
    }

    /** The document of each predictor. */
    int[] targetDocuments() {
        return Arrays.copyOf(targetDocuments, trained);
    }

    /** Of each document the last token that is trained, or the last of all where none is: what a head scores. */
    int[] scored() {
        return scored.stream().mapToInt(Integer::intValue).toArray();
    }

    /** The scores by document. */
    Scores scores(float[] scores, int outputs) {
        return new Scores(
                scores,
                outputs,
                values,
                trainedTokens.stream().mapToInt(Integer::intValue).toArray());
    }

    /** The predicted tokens by document, given -log p of each. */
    Answers answers(float[] losses, float @Nullable [] reference, @Nullable TokenMeasures measures) {
        int[] starts = new int[documents.size() + 1];
        for (int i = 0; i < trained; i++) {
            starts[targetDocuments[i] + 1]++;
        }

        Arrays.parallelPrefix(starts, Integer::sum);
        return new Answers(
                losses,
                reference,
                starts,
                prompts.stream().mapToInt(Integer::intValue).toArray(),
                values,
                measures);
    }
}
