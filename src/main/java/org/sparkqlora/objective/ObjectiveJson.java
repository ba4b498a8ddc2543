package org.sparkqlora.objective;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.sparkqlora.data.LabelsJson;
import org.sparkqlora.input.BadInputException;
import org.sparkqlora.objective.ContrastivePreference.Answer;
import org.sparkqlora.objective.DirectPreference.Weighted;

/** An objective in {@code plan.json}. */
public final class ObjectiveJson {
    private static final String KIND = "kind";
    private static final String LOSSES = "losses";
    private static final String LOSS = "loss";
    private static final String WEIGHT = "weight";
    private static final String BETA = "beta";
    private static final String LABEL_SMOOTHING = "label_smoothing";
    private static final String LD_ALPHA = "ld_alpha";
    private static final String DESIRABLE_WEIGHT = "desirable_weight";
    private static final String UNDESIRABLE_WEIGHT = "undesirable_weight";
    private static final String GAMMA = "simpo_gamma";
    private static final String CPO_ALPHA = "cpo_alpha";
    private static final String REFERENCE = "reference";
    private static final String CENTER = "center_rewards_coefficient";

    private ObjectiveJson() {}

    /** Writes {@code objective} into {@code node}. */
    public static void write(Objective objective, ObjectNode node) {
        node.put(KIND, objective.kind().optionName());
        if (objective instanceof DirectPreference dpo) {
            dpo.losses()
                    .forEach(each -> node.withArray(LOSSES)
                            .addObject()
                            .put(LOSS, each.loss())
                            .put(WEIGHT, each.weight()));
            node.put(BETA, dpo.beta());
            node.put(LABEL_SMOOTHING, dpo.labelSmoothing());
            if (dpo.ldAlpha() != null) {
                node.put(LD_ALPHA, dpo.ldAlpha());
            }

            node.put(REFERENCE, dpo.from().optionName());
        } else if (objective instanceof KahnemanTversky kto) {
            node.put(LOSS, kto.loss().optionName());
            node.put(BETA, kto.beta());
            node.put(DESIRABLE_WEIGHT, kto.desirableWeight());
            node.put(UNDESIRABLE_WEIGHT, kto.undesirableWeight());
            node.put(REFERENCE, kto.from().optionName());
        } else if (objective instanceof OddsRatio orpo) {
            node.put(BETA, orpo.beta());
        } else if (objective instanceof ContrastivePreference pairs) {
            node.put(BETA, pairs.beta());
            if (pairs.answer() == Answer.MEAN) {
                node.put(GAMMA, pairs.gamma());
            }

            node.put(LABEL_SMOOTHING, pairs.labelSmoothing());
            node.put(CPO_ALPHA, pairs.cpoAlpha());
        } else if (objective instanceof RewardModeling reward) {
            node.put(CENTER, reward.center());
        } else if (objective instanceof Classification classes) {
            LabelsJson.write(classes.labels(), node);
        }
    }

    /** The objective in {@code node}; that of plans without one is supervised. */
    public static Objective read(@Nullable JsonNode node) {
        if (node == null) {
            return Objective.SFT;
        }

        return switch (ObjectiveKind.parse(text(node, KIND))) {
            case SFT -> Objective.SFT;
            case DPO ->
                new DirectPreference(
                        losses(node),
                        number(node, BETA),
                        number(node, LABEL_SMOOTHING),
                        node.has(LD_ALPHA) ? number(node, LD_ALPHA) : null,
                        Reference.parse(text(node, REFERENCE)));
            case KTO ->
                new KahnemanTversky(
                        UnpairedLoss.parse(text(node, LOSS)),
                        number(node, BETA),
                        number(node, DESIRABLE_WEIGHT),
                        number(node, UNDESIRABLE_WEIGHT),
                        Reference.parse(text(node, REFERENCE)));
            case ORPO -> new OddsRatio(number(node, BETA));
            case CPO ->
                ContrastivePreference.cpo(number(node, BETA), number(node, LABEL_SMOOTHING), number(node, CPO_ALPHA));
            case SIMPO ->
                ContrastivePreference.simpo(
                        number(node, BETA),
                        number(node, GAMMA),
                        number(node, LABEL_SMOOTHING),
                        number(node, CPO_ALPHA));
            case REWARD -> new RewardModeling(number(node, CENTER));
            case CLASSIFY -> {
                field(node, LabelsJson.LABELS);
                yield new Classification(Objects.requireNonNull(LabelsJson.read(node)));
            }
        };
    }

    private static List<Weighted> losses(JsonNode node) {
        List<Weighted> losses = new ArrayList<>();
        field(node, LOSSES).forEach(each -> losses.add(new Weighted(text(each, LOSS), number(each, WEIGHT))));
        return losses;
    }

    private static String text(JsonNode node, String key) {
        return field(node, key).asText();
    }

    private static double number(JsonNode node, String key) {
        JsonNode value = field(node, key);
        if (!value.isNumber()) {
            throw new BadInputException(
                    "Cannot read an objective: expected a number for '%s', found %s".formatted(key, value));
        }

        return value.doubleValue();
    }

    private static JsonNode field(JsonNode node, String key) {
        JsonNode value = node.get(key);
        if (value == null || value.isNull()) {
            throw new BadInputException(
                    "Cannot read an objective: expected a value for '%s', found none".formatted(key));
        }

        return value;
    }
}
