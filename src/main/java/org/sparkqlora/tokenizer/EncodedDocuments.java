package org.sparkqlora.tokenizer;

import java.util.List;

/**
 * The documents of one example, which share a row.
 *
 * @param documents one at least
 * @param values numbers of the example, which each of its documents gets; empty where it has none
 * @param promptChanged whether the ids of a prompt are others where its answer follows
 */
public record EncodedDocuments(List<EncodedExample> documents, double[] values, boolean promptChanged) {
    public EncodedDocuments {
        documents = List.copyOf(documents);
        values = values.clone();
    }

    /** An example of one document. */
    public static EncodedDocuments of(EncodedExample document) {
        return new EncodedDocuments(List.of(document), new double[0], false);
    }

    /** The first document. */
    public EncodedExample first() {
        return documents.get(0);
    }
}
