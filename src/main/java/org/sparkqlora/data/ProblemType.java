package org.sparkqlora.data;

import org.sparkqlora.input.OptionChoice;

/** The kind of the labels of texts; the names are those of {@code problem_type} in transformers' configs. */
public enum ProblemType implements OptionChoice {
    /** One class of several. */
    SINGLE_LABEL_CLASSIFICATION,
    /** Any number of classes. */
    MULTI_LABEL_CLASSIFICATION,
    /** Numbers. */
    REGRESSION;

    /** The type that a command line or a config calls {@code name}. */
    public static ProblemType parse(String name) {
        return OptionChoice.parse(values(), name, "Unsupported problem type '%s': expected one of %s");
    }
}
