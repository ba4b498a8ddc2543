package org.sparkqlora.run.prepare;

import org.jspecify.annotations.Nullable;
import org.sparkqlora.options.Console;

/** Marks in a text on what is trained. */
public enum TokenMarking {
    /** Trained text is green, the rest dim. */
    COLOUR("\u001b[32m", "\u001b[0m", "\u001b[2m", "\u001b[0m"),
    /** Trained text stands in brackets. */
    BRACKETS("⟦", "⟧", "", "");

    private final String trainedBegin;
    private final String trainedEnd;
    private final String otherBegin;
    private final String otherEnd;

    TokenMarking(String trainedBegin, String trainedEnd, String otherBegin, String otherEnd) {
        this.trainedBegin = trainedBegin;
        this.trainedEnd = trainedEnd;
        this.otherBegin = otherBegin;
        this.otherEnd = otherEnd;
    }

    /** Colours on a terminal whose user did not set {@code NO_COLOR}. */
    public static TokenMarking of(Console.Kind kind, @Nullable String noColor) {
        boolean plain = noColor != null && !noColor.isEmpty();
        return kind == Console.Kind.TERMINAL && !plain ? COLOUR : BRACKETS;
    }

    public String trained(String text) {
        return trainedBegin + text + trainedEnd;
    }

    String other(String text) {
        return otherBegin + text + otherEnd;
    }

    /** An explanation of the marks. */
    String legend() {
        return trained("trained") + " " + other("not trained");
    }
}
