package org.sparkqlora.model.layout;

import java.io.Serializable;
import java.util.List;
import java.util.regex.Pattern;
import org.sparkqlora.input.BadInputException;

/**
 * Which parameters of no linear module carry an adapter: PEFT's {@code target_parameters}, by a path such as
 * {@code model.layers.0.mlp.experts.gate_up_proj} or how it ends. Those of experts are the matrices of all experts of a layer.
 *
 * @param names sorted
 */
public record TargetParameters(List<String> names) implements Serializable {
    public static final TargetParameters NONE = new TargetParameters(List.of());

    /** Gate and up of all experts, the one above the other. */
    public static final String GATE_UP = "gate_up_proj";

    public static final String DOWN = "down_proj";

    /** Of the router. */
    public static final String ROUTER = "gate.weight";

    private static final Pattern KNOWN =
            Pattern.compile("(?:[\\w.]+\\.)?(?:gate_up_proj|down_proj|gate\\.weight|router\\.weight)");

    public TargetParameters {
        for (String name : names) {
            if (!KNOWN.matcher(name).matches()) {
                throw new BadInputException(
                        "Unsupported target parameter %s: expected names that end in gate_up_proj, down_proj, gate.weight or router.weight, such as mlp.experts.gate_up_proj"
                                .formatted(name));
            }
        }

        names = names.stream().distinct().sorted().toList();
    }

    public boolean isEmpty() {
        return names.isEmpty();
    }

    /** Whether a matrix of all experts carries an adapter, and not the router alone. */
    public boolean ofExperts() {
        return names.stream().anyMatch(name -> !name.endsWith(ROUTER));
    }

    /** Whether the parameter of that path carries an adapter. */
    public boolean matches(String path) {
        return names.stream().anyMatch(name -> path.equals(name) || path.endsWith("." + name));
    }
}
