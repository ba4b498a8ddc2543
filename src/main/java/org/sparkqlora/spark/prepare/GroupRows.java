package org.sparkqlora.spark.prepare;

import java.util.AbstractList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.stream.IntStream;
import org.sparkqlora.tokenizer.EncodedExample;
import org.sparkqlora.tokenizer.packing.RowLayout;
import org.sparkqlora.tokenizer.packing.RowPacker;
import org.sparkqlora.tokenizer.packing.TokenRow;

/** The rows of a group's examples; each is made when it is asked for. The documents of an example lie together in a row. */
final class GroupRows extends AbstractList<TokenRow> {
    private final GroupExamples examples;
    private final PreparationOptions options;
    private final RowLayout layout;
    private final List<List<Integer>> packed;

    private GroupRows(GroupExamples examples, PreparationOptions options, List<List<Integer>> packed) {
        this.examples = examples;
        this.options = options;
        this.layout = options.layout();
        this.packed = packed;
    }

    static GroupRows of(GroupExamples examples, PreparationOptions options) {
        RowLayout layout = options.layout();
        List<List<Integer>> packed = switch (options.packing()) {
            case PACKED ->
                RowPacker.pack(lengths(examples, options), layout.width(), layout.mostExamples(options.kind()));
            case ONE_A_ROW ->
                IntStream.range(0, examples.size()).mapToObj(List::of).toList();
        };
        return new GroupRows(examples, options, packed);
    }

    /** Tokens of each example. */
    private static List<Integer> lengths(GroupExamples examples, PreparationOptions options) {
        List<Integer> documents = examples.lengths();
        return switch (options.kind()) {
            case SUPERVISED, LABELED -> documents;
            case PREFERENCE, COMPARISON ->
                IntStream.range(0, examples.size())
                        .mapToObj(i -> documents.get(2 * i) + documents.get(2 * i + 1))
                        .toList();
            case UNPAIRED ->
                IntStream.range(0, examples.size())
                        .mapToObj(i -> documents.get(i)
                                + mismatched(examples, i, options.width()).length())
                        .toList();
        };
    }

    @Override
    public TokenRow get(int row) {
        List<Integer> members = packed.get(row);
        List<EncodedExample> documents =
                members.stream().flatMap(i -> documents(i).stream()).toList();
        double[] values = members.stream()
                .flatMap(i -> Collections.nCopies(options.kind().documents(), examples.values(i)).stream())
                .flatMapToDouble(Arrays::stream)
                .toArray();
        return TokenRow.of(documents, layout.width(), values);
    }

    private List<EncodedExample> documents(int example) {
        return switch (options.kind()) {
            case SUPERVISED, LABELED -> List.of(examples.get(example));
            case PREFERENCE, COMPARISON -> List.of(examples.get(2 * example), examples.get(2 * example + 1));
            case UNPAIRED -> List.of(examples.get(example), mismatched(examples, example, options.width()));
        };
    }

    /** The prompt of {@code example} with the answer of the one before it; the first has that of the last. */
    private static EncodedExample mismatched(GroupExamples examples, int example, int width) {
        int count = examples.size();
        return examples.get(example)
                .answeredBy(examples.get((example + count - 1) % count))
                .truncatedTo(width);
    }

    @Override
    public int size() {
        return packed.size();
    }
}
