package org.sparkqlora.tokenizer;

import java.util.List;

/**
 * The documents of one example, which share a row.
 *
 * @param documents one at least
 * @param value a number of the example, or 0
 * @param promptChanged whether the ids of a prompt are others where its answer follows
 */
public record EncodedDocuments(List<EncodedExample> documents, double value, boolean promptChanged) {
    public EncodedDocuments {
        documents = List.copyOf(documents);
    }

    /** An example of one document. */
    public static EncodedDocuments of(EncodedExample document) {
        return new EncodedDocuments(List.of(document), 0, false);
    }

    /** The first document. */
    public EncodedExample first() {
        return documents.get(0);
    }
}
