package org.sparkqlora.data;

import org.sparkqlora.input.OptionChoice;

/** The content of an example, and so how many documents it puts into a row. */
public enum ExampleKind implements OptionChoice {
    /** One text, some of whose tokens are trained. */
    SUPERVISED(1, 0),

    /** A prompt with an answer that was chosen and one that was rejected: two documents, in this order. */
    PREFERENCE(2, 0),

    /**
     * A prompt with an answer that is desirable or not: the document, and the prompt with the answer of the example before it in
     * its group, by which the distance from the reference is measured. Their value is 1 for a desirable answer, else 0.
     */
    UNPAIRED(2, 1),

    /** A prompt with a better and a worse answer, each scored with it: two documents, in this order. Their value is the margin of the pair. */
    COMPARISON(2, 1),

    /** A text that is scored. Its values are its labels, as many as {@link Labels#values} says. */
    LABELED(1, 1);

    private final int documents;
    private final int valuesOfDocument;

    ExampleKind(int documents, int values) {
        this.documents = documents;
        this.valuesOfDocument = values;
    }

    /** The kind called {@code name} in a manifest. */
    public static ExampleKind parse(String name) {
        return OptionChoice.parse(values(), name, "Unsupported examples '%s': expected one of %s");
    }

    /** Documents of an example, which share a row. */
    public int documents() {
        return documents;
    }

    /** Numbers of a document beside its tokens. */
    public int valuesOfDocument() {
        return valuesOfDocument;
    }

    /** Whether a head scores its documents. */
    public boolean isScored() {
        return this == COMPARISON || this == LABELED;
    }
}
