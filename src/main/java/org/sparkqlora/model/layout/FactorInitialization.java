package org.sparkqlora.model.layout;

import java.io.Serializable;
import java.util.Arrays;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.sparkqlora.input.BadInputException;

/** The initialisation of a new adapter's factors (PEFT's {@code init_lora_weights}). */
public sealed interface FactorInitialization extends Serializable {
    FactorInitialization DEFAULT = Drawn.DEFAULT;

    /** A is drawn and B is zero, so that training starts from the base. */
    enum Drawn implements FactorInitialization {
        /** Uniform in +-1/sqrt(inputs). */
        DEFAULT,
        /** Normal with deviation 1/rank. */
        GAUSSIAN;

        @Override
        public String optionName() {
            return name().toLowerCase(Locale.ROOT);
        }
    }

    /**
     * A and B are taken out of the base weight, which keeps the rest: {@code W = rest + scale * B A}.
     *
     * @param iterations of a {@link Decomposition#PISSA_NITER}; 0 for the others
     */
    record Taken(Decomposition decomposition, int iterations) implements FactorInitialization {
        private static final String ITERATIONS = "pissa_niter_";
        private static final Pattern PISSA_NITER = Pattern.compile(ITERATIONS + "(\\d{1,4})");

        @Override
        public String optionName() {
            return switch (decomposition) {
                case PISSA -> "pissa";
                case PISSA_NITER -> ITERATIONS + iterations;
                case OLORA -> "olora";
            };
        }
    }

    /** The decomposition of a weight. */
    enum Decomposition {
        /** By its singular values, of which the largest train (PiSSA, arXiv 2404.02948). */
        PISSA,
        /** PiSSA by a randomised decomposition with some subspace iterations (Halko et al., arXiv 0909.4061). */
        PISSA_NITER,
        /** By its QR decomposition, of which the first columns train (OLoRA, arXiv 2406.01775). */
        OLORA
    }

    /** The initialisation that a command line calls {@code name}. */
    static FactorInitialization parse(String name) {
        Matcher fast = Taken.PISSA_NITER.matcher(name);
        if (fast.matches()) {
            return new Taken(Decomposition.PISSA_NITER, Integer.parseInt(fast.group(1)));
        }

        return switch (name) {
            case "pissa" -> new Taken(Decomposition.PISSA, 0);
            case "olora" -> new Taken(Decomposition.OLORA, 0);
            default ->
                Arrays.stream(Drawn.values())
                        .filter(drawn -> drawn.optionName().equals(name))
                        .findFirst()
                        .orElseThrow(() -> new BadInputException(
                                "Unsupported initialisation '%s': expected default, gaussian, pissa, pissa_niter_N or olora"
                                        .formatted(name)));
        };
    }

    /** The name a command line uses. */
    String optionName();
}
