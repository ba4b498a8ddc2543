package org.sparkqlora.model.layout;

import java.io.Serializable;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.sparkqlora.input.BadInputException;
import org.sparkqlora.input.BoundedPattern;

/** Which linear modules carry an adapter, in PEFT's three notations. Paths look like {@code model.layers.0.self_attn.q_proj}. */
public sealed interface TargetModules extends Serializable {
    /** PEFT's word for {@link AllLinear}. */
    String ALL_LINEAR = "all-linear";

    /** The word for no modules, where only parameters carry adapters. */
    String NONE = "none";

    boolean matches(String modulePath);

    /** The words that {@link #parse} reads; for {@link Narrowed}, a description. */
    String words();

    /** A comma-separated list of names, or {@value #ALL_LINEAR}; anything with regular-expression syntax is an expression. */
    static TargetModules parse(String text) {
        if (text.isBlank()) {
            throw new BadInputException(
                    "Cannot choose target modules from an empty text: expected all-linear, names or a regular expression");
        }

        if (text.equals(ALL_LINEAR)) {
            return new AllLinear();
        }

        if (text.equals(NONE)) {
            return new Names(List.of());
        }

        return BoundedPattern.compile("[\\w.]++(?:\\s*+,\\s*+[\\w.]++)*+").matches(text)
                ? new Names(List.of(text.split("\\s*,\\s*", -1)))
                : new Expression(text);
    }

    /** Every linear module except the output head. */
    record AllLinear() implements TargetModules {
        @Override
        public boolean matches(String modulePath) {
            return !modulePath.endsWith("lm_head");
        }

        @Override
        public String words() {
            return ALL_LINEAR;
        }
    }

    /** Modules whose path is one of {@code names} or ends in a dot and one of them. */
    record Names(List<String> names) implements TargetModules {
        public Names {
            names = List.copyOf(names);
        }

        @Override
        public boolean matches(String modulePath) {
            return names.stream().anyMatch(name -> modulePath.equals(name) || modulePath.endsWith("." + name));
        }

        @Override
        public String words() {
            return names.isEmpty() ? NONE : String.join(",", names);
        }
    }

    /** Modules whose whole path matches a regular expression. */
    record Expression(BoundedPattern pattern) implements TargetModules {
        public Expression(String expression) {
            this(BoundedPattern.compile(expression));
        }

        @Override
        public boolean matches(String modulePath) {
            return pattern.matches(modulePath);
        }

        @Override
        public String words() {
            return pattern.expression();
        }
    }

    /**
     * Of the modules that {@code chosen} matches, those that {@code excluded} does not and that lie in {@code layers}.
     *
     * @param excluded PEFT's {@code exclude_modules}; null to exclude none
     * @param layers PEFT's {@code layers_to_transform}; empty for all. A module that is named by its whole path is in any case chosen
     */
    record Narrowed(TargetModules chosen, @Nullable TargetModules excluded, List<Integer> layers)
            implements TargetModules {
        private static final Pattern LAYER = Pattern.compile(".*?\\.[^.]*\\.(\\d+)\\..*");

        public Narrowed {
            layers = List.copyOf(layers);
            if (chosen instanceof Expression && !layers.isEmpty()) {
                throw new BadInputException(
                        "Cannot limit %s to layers %s: expected all-linear or names, found a regular expression, which can name layers itself"
                                .formatted(chosen.words(), layers));
            }
        }

        @Override
        public boolean matches(String modulePath) {
            return chosen.matches(modulePath)
                    && (excluded == null || !excluded.matches(modulePath))
                    && isInLayers(modulePath);
        }

        @Override
        public String words() {
            String without = excluded == null ? "" : " without " + excluded.words();
            return chosen.words() + without + (layers.isEmpty() ? "" : " in layers " + layers);
        }

        private boolean isInLayers(String modulePath) {
            if (layers.isEmpty()
                    || (chosen instanceof Names names && names.names().contains(modulePath))) {
                return true;
            }

            Matcher layer = LAYER.matcher(modulePath);
            return layer.matches() && layers.contains(Integer.valueOf(layer.group(1)));
        }
    }
}
