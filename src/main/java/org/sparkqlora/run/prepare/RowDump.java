package org.sparkqlora.run.prepare;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.sparkqlora.data.ExampleKind;
import org.sparkqlora.input.PrintableText;
import org.sparkqlora.tokenizer.ModelTokenizer;
import org.sparkqlora.tokenizer.packing.TokenRow;
import org.sparkqlora.tokenizer.packing.TokenRow.DocumentRange;
import org.sparkqlora.train.RowReader;

/**
 * The first rows as the model sees them, with marks on what is trained.
 *
 * @param text of ids that lie one after the other
 */
record RowDump(TokenMarking marking, Function<int[], String> text) {
    private static final int ROWS = 2;

    /** Rows as the tokenizer writes them. */
    static RowDump of(ModelTokenizer tokenizer, TokenMarking marking) {
        return new RowDump(marking, tokenizer::decodeWithSpecials);
    }

    /** Rows as ids. */
    static RowDump ofIds(TokenMarking marking) {
        return new RowDump(
                marking,
                ids -> Arrays.stream(ids).mapToObj(String::valueOf).collect(Collectors.joining(" ", " ", " ")));
    }

    List<String> lines(RowReader rows, ExampleKind kind) {
        List<String> lines = new ArrayList<>();
        lines.add("the first rows, " + marking.legend());
        for (long i = 0; i < Math.min(ROWS, rows.rows()); i++) {
            TokenRow row = rows.read(i);
            List<DocumentRange> documents = row.documents();
            for (int d = 0; d < documents.size(); d++) {
                lines.add(String.format(
                        Locale.ROOT,
                        "row %d, document %d of %d%s",
                        i + 1,
                        d + 1,
                        documents.size(),
                        role(row, d, kind)));
                lines.add(document(row, documents.get(d)));
            }
        }

        return lines;
    }

    private static String role(TokenRow row, int document, ExampleKind kind) {
        boolean first = document % kind.documents() == 0;
        return switch (kind) {
            case SUPERVISED -> "";
            case LABELED ->
                ": "
                        + Arrays.toString(
                                Arrays.copyOfRange(row.values(), document * each(row), (document + 1) * each(row)));
            case PREFERENCE, COMPARISON -> first ? ": chosen" : ": rejected";
            case UNPAIRED -> first ? desirability(row.values()[document]) : ": with the answer of another example";
        };
    }

    /** Values of a document. */
    private static int each(TokenRow row) {
        return row.values().length / row.documents().size();
    }

    private static String desirability(double label) {
        return label == 0 ? ": undesirable" : ": desirable";
    }

    private String document(TokenRow row, DocumentRange range) {
        StringBuilder marked = new StringBuilder();
        int from = range.from();
        for (int t = range.from() + 1; t <= range.to(); t++) {
            if (t == range.to() || row.trained()[t] != row.trained()[from]) {
                String part = PrintableText.lines(text.apply(Arrays.copyOfRange(row.ids(), from, t)));
                marked.append(row.trained()[from] ? marking.trained(part) : marking.other(part));
                from = t;
            }
        }

        return marked.toString();
    }
}
