package org.sparkqlora.objective;

import java.util.Locale;
import org.sparkqlora.data.ExampleKind;
import org.sparkqlora.input.OptionName;

/** The objectives by name. */
public enum ObjectiveKind {
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

    /** The objective called {@code optionValue} on the command line. */
    public static ObjectiveKind parse(String optionValue) {
        return OptionName.parse(
                values(), ObjectiveKind::optionValue, optionValue, "Unsupported objective '%s': expected one of %s");
    }

    /** The name on the command line. */
    public String optionValue() {
        return name().toLowerCase(Locale.ROOT);
    }

    /** What its examples hold. */
    public ExampleKind examples() {
        return examples;
    }

    /** Whether a head scores texts, so that the model writes none. */
    public boolean scoresTexts() {
        return this == REWARD || this == CLASSIFY;
    }

    /** Whether answers are measured from a reference. */
    public boolean takesReference() {
        return this == DPO || this == KTO;
    }
}
