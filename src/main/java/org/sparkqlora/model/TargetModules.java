package org.sparkqlora.model;

import java.io.Serializable;
import java.util.List;
import java.util.regex.Pattern;

/** Which linear modules carry an adapter, in PEFT's three notations. Paths look like {@code model.layers.0.self_attn.q_proj}. */
public sealed interface TargetModules extends Serializable {
    /** PEFT's word for {@link AllLinear}. */
    String ALL_LINEAR = "all-linear";

    boolean matches(String modulePath);

    /** A comma-separated list of names, or {@value #ALL_LINEAR}; anything with regular-expression syntax is an expression. */
    static TargetModules parse(String text) {
        if (text.isBlank()) {
            throw new IllegalArgumentException(
                    "Cannot choose target modules from an empty text: expected all-linear, names or a regular expression");
        }

        if (text.equals(ALL_LINEAR)) {
            return new AllLinear();
        }

        return text.matches("[\\w.]+(\\s*,\\s*[\\w.]+)*")
                ? new Names(List.of(text.split("\\s*,\\s*", -1)))
                : new Expression(text);
    }

    /** Every linear module except the output head. */
    record AllLinear() implements TargetModules {
        @Override
        public boolean matches(String modulePath) {
            return !modulePath.endsWith("lm_head");
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
    }

    /** Modules whose whole path matches a regular expression. */
    record Expression(String expression) implements TargetModules {
        public Expression {
            Pattern.compile(expression);
        }

        @Override
        public boolean matches(String modulePath) {
            return Pattern.matches(expression, modulePath);
        }
    }
}
