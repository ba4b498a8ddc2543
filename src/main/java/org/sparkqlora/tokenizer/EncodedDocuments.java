package org.sparkqlora.tokenizer;

import java.util.List;
import java.util.function.Function;
import org.sparkqlora.data.Example;
import org.sparkqlora.data.Example.Preference;
import org.sparkqlora.data.Example.Unpaired;

/**
 * The documents of one example, which share a row.
 *
 * @param documents one at least
 * @param value a number of the example, or 0
 */
public record EncodedDocuments(List<EncodedExample> documents, double value) {
    public EncodedDocuments {
        documents = List.copyOf(documents);
    }

    /** An example of one document. */
    public static EncodedDocuments of(EncodedExample document) {
        return new EncodedDocuments(List.of(document), 0);
    }

    /**
     * The documents of {@code example}.
     *
     * @param encode an example of one document
     */
    public static EncodedDocuments of(Example example, Function<Example, EncodedExample> encode) {
        if (example instanceof Preference pair) {
            return new EncodedDocuments(List.of(encode.apply(pair.chosen()), encode.apply(pair.rejected())), 0);
        }

        return example instanceof Unpaired unpaired
                ? new EncodedDocuments(List.of(encode.apply(unpaired.answer())), unpaired.desirable() ? 1 : 0)
                : of(encode.apply(example));
    }

    /** The first document. */
    public EncodedExample first() {
        return documents.get(0);
    }
}
