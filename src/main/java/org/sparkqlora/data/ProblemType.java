package org.sparkqlora.data;

import java.util.Locale;
import org.sparkqlora.input.OptionName;

/** What the labels of texts are; the names are those of {@code problem_type} in transformers' configs. */
public enum ProblemType {
    /** One class of several. */
    SINGLE_LABEL_CLASSIFICATION,
    /** Any number of classes. */
    MULTI_LABEL_CLASSIFICATION,
    /** Numbers. */
    REGRESSION;

    /** The type that a command line or a config calls {@code word}. */
    public static ProblemType parse(String word) {
        return OptionName.parse(values(), ProblemType::word, word, "Unsupported problem type '%s': expected one of %s");
    }

    /** The name on command lines and in configs. */
    public String word() {
        return name().toLowerCase(Locale.ROOT);
    }
}
