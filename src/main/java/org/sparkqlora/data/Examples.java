package org.sparkqlora.data;

import java.io.Serializable;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.sparkqlora.input.BadInputException;

/**
 * The content of the examples of some data.
 *
 * @param labels of texts; null exactly where examples are not {@link ExampleKind#LABELED}
 */
public record Examples(ExampleKind kind, @Nullable Labels labels) implements Serializable {
    public static final Examples SUPERVISED = of(ExampleKind.SUPERVISED);

    public Examples {
        if ((kind == ExampleKind.LABELED) != (labels != null)) {
            throw new BadInputException("Cannot read %s examples with labels %s".formatted(kind.optionName(), labels));
        }
    }

    /** Examples without labels. */
    public static Examples of(ExampleKind kind) {
        return new Examples(kind, null);
    }

    /** Texts with {@code labels}. */
    public static Examples labeled(Labels labels) {
        return new Examples(ExampleKind.LABELED, labels);
    }

    /** The labels of labelled texts. */
    Labels required() {
        return Objects.requireNonNull(labels, "labels of labelled texts");
    }

    /** Numbers of a document beside its tokens. */
    public int valuesOfDocument() {
        return labels == null ? kind.valuesOfDocument() : labels.values();
    }

    /** For people, and for fingerprints. */
    public String words() {
        return labels == null ? kind.optionName() : kind.optionName() + " " + labels;
    }

    /** Part of the fingerprint of rows: nothing where examples are supervised. */
    public String fingerprint() {
        return kind == ExampleKind.SUPERVISED ? "" : " of " + words() + " examples";
    }
}
