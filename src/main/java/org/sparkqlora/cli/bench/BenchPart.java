package org.sparkqlora.cli.bench;

import java.util.Arrays;
import java.util.Locale;
import org.sparkqlora.input.BadInputException;

/** The parts of {@code bench} that can be left out. */
public enum BenchPart {
    /** NF4 and optimisers. */
    KERNELS,
    /** Head, attention and layer. */
    PASS,
    /** Whole steps. */
    STEP;

    public static BenchPart parse(String name) {
        return Arrays.stream(values())
                .filter(part -> part.name().toLowerCase(Locale.ROOT).equals(name))
                .findFirst()
                .orElseThrow(() ->
                        new BadInputException("Cannot measure '%s': expected kernels, pass or step".formatted(name)));
    }
}
