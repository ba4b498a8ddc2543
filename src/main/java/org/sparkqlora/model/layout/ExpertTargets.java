package org.sparkqlora.model.layout;

import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import org.sparkqlora.input.BadInputException;
import org.sparkqlora.weights.family.ExpertModules;

/**
 * The targets of adapters on a mixture of experts, as PEFT takes them since transformers holds the experts of a layer as two parameters:
 * names of an expert's linear modules mean these parameters, and {@code gate} the router. Gate and up are one, so that either is named
 * with the other, and of twice the rank and alpha.
 *
 * @param modules linear modules
 * @param parameters in place of modules that are none
 * @param fused whether gate and up were named as modules
 */
public record ExpertTargets(TargetModules modules, TargetParameters parameters, boolean fused) {
    /** What gate and up are in {@code rank_pattern} and {@code alpha_pattern} where they were named as modules. */
    public static final String FUSED_PATTERN = ".*\\.gate_up_proj";

    private static final List<String> ATTENTION = List.of("k_proj", "o_proj", "q_proj", "v_proj");
    private static final List<String> EXPERT = List.of("gate", "gate_proj", "up_proj", "down_proj");
    private static final List<String> FUSED = List.of("gate_proj", "up_proj");

    /** The targets of a model of experts: only where these are modules on the hub does PEFT know names of their own. */
    public static ExpertTargets of(ExpertModules modules, TargetModules chosen, TargetParameters parameters) {
        return switch (modules) {
            case SEPARATE -> ofModules(chosen, parameters);
            case INTERLEAVED -> new ExpertTargets(chosen, parameters, false);
        };
    }

    private static ExpertTargets ofModules(TargetModules chosen, TargetParameters parameters) {
        if (chosen instanceof TargetModules.AllLinear) {
            List<String> all = new ArrayList<>(ATTENTION);
            all.addAll(EXPERT);
            return named(all, parameters);
        }

        if (chosen instanceof TargetModules.Names names) {
            return named(names.names(), parameters);
        }

        if (chosen instanceof TargetModules.Narrowed narrowed) {
            return narrowed(narrowed, parameters);
        }

        return new ExpertTargets(chosen, parameters, false);
    }

    private static ExpertTargets narrowed(TargetModules.Narrowed narrowed, TargetParameters parameters) {
        ExpertTargets inner = ofModules(narrowed.chosen(), TargetParameters.NONE);
        if (!inner.parameters().isEmpty()) {
            throw new BadInputException(
                    "Cannot exclude modules or choose layers beside %s in a mixture of experts: parameters of experts would not be told apart. Name modules of attention, and experts as target parameters with their layers, such as model.layers.0.mlp.experts.down_proj"
                            .formatted(narrowed.chosen().words()));
        }

        return new ExpertTargets(narrowed, parameters, false);
    }

    private static ExpertTargets named(List<String> names, TargetParameters given) {
        List<String> remaining = new ArrayList<>();
        List<String> parameters = new ArrayList<>(given.names());
        Set<String> halves = new TreeSet<>();
        for (String name : names) {
            String last = name.substring(name.lastIndexOf('.') + 1);
            if (!EXPERT.contains(last)) {
                remaining.add(name);
                continue;
            }

            parameters.add(parameter(last));
            if (FUSED.contains(last)) {
                halves.add(last);
            }
        }

        if (halves.size() == 1) {
            throw new BadInputException(
                    "Cannot add adapters on %s of experts alone: expected gate_proj and up_proj or neither, which are one parameter"
                            .formatted(halves));
        }

        return new ExpertTargets(
                new TargetModules.Names(remaining), new TargetParameters(parameters), !halves.isEmpty());
    }

    private static String parameter(String module) {
        return switch (module) {
            case "gate" -> TargetParameters.ROUTER;
            case "down_proj" -> TargetParameters.DOWN;
            default -> TargetParameters.GATE_UP;
        };
    }
}
