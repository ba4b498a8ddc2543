package org.sparkqlora.objective;

import org.sparkqlora.data.ExampleKind;
import org.sparkqlora.input.OptionChoice;

/** The objectives by name. */
public enum ObjectiveKind implements OptionChoice {
    SFT(ExampleKind.SUPERVISED),
    DPO(ExampleKind.PREFERENCE),
    KTO(ExampleKind.UNPAIRED),
    ORPO(ExampleKind.PREFERENCE),
    CPO(ExampleKind.PREFERENCE),
    SIMPO(ExampleKind.PREFERENCE),
    REWARD(ExampleKind.COMPARISON),
    CLASSIFY(ExampleKind.LABELED);

    private final ExampleKind examples;

    ObjectiveKind(ExampleKind examples) {
        this.examples = examples;
    }

    /** The objective called {@code name} on the command line. */
    public static ObjectiveKind parse(String name) {
        return OptionChoice.parse(values(), name, "Unsupported objective '%s': expected one of %s");
    }

    /** What its examples hold. */
    public ExampleKind examples() {
        return examples;
    }

    /** Whether a head scores texts, so that the model writes none. */
    public boolean scoresTexts() {
        return this == REWARD || this == CLASSIFY;
    }
}
