package org.sparkqlora.train;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import org.sparkqlora.model.layout.FactorInitialization;
import org.sparkqlora.model.layout.LoraSpec;
import org.sparkqlora.model.layout.SavedModules;
import org.sparkqlora.model.layout.TargetModules;
import org.sparkqlora.model.layout.TargetParameters;

/** The adapters of a plan, as {@code lora} in {@code plan.json}. */
final class LoraSpecJson {
    private static final String ROWS = "resize_token_embeddings";
    private static final String SCORE_OUTPUTS = "score_outputs";
    private static final String PARAMETERS = "target_parameters";

    private LoraSpecJson() {}

    static void write(LoraSpec lora, ObjectNode node) {
        node.put("rank", lora.rank());
        node.put("alpha", lora.alpha());
        node.put("dropout", lora.dropout());
        writeTargets(lora.targets(), node);
        node.put("init_lora_weights", lora.initialization().optionName());
        node.put("use_rslora", lora.rankStabilized());
        node.put("use_dora", lora.weightDecomposed());
        ObjectNode ranks = node.putObject("rank_pattern");
        lora.rankPattern().forEach(ranks::put);
        ObjectNode alphas = node.putObject("alpha_pattern");
        lora.alphaPattern().forEach(alphas::put);
        if (!lora.saved().isEmpty()) {
            writeSaved(lora.saved(), node);
        }

        if (!lora.parameters().isEmpty()) {
            lora.parameters().names().forEach(node.putArray(PARAMETERS)::add);
        }

        if (lora.saved().scores()) {
            node.put(SCORE_OUTPUTS, lora.saved().labels());
        }
    }

    private static void writeSaved(SavedModules saved, ObjectNode node) {
        ArrayNode names = node.putArray("modules_to_save");
        saved.modules().forEach(module -> names.add(module.optionName()));
        node.put("ensure_weight_tying", saved.weightTying());
        if (saved.rows() != 0) {
            node.put(ROWS, saved.rows());
        }
    }

    private static SavedModules saved(JsonNode node) {
        return wholeModules(node).withLabels(node.path(SCORE_OUTPUTS).asInt(0));
    }

    private static SavedModules wholeModules(JsonNode node) {
        if (!node.has("modules_to_save")) {
            return SavedModules.NONE;
        }

        List<String> names = new ArrayList<>();
        node.get("modules_to_save").forEach(name -> names.add(name.asText()));
        return SavedModules.named(
                        names, TrainPlanJson.field(node, "ensure_weight_tying").booleanValue())
                .withRows(node.has(ROWS) ? TrainPlanJson.field(node, ROWS).intValue() : 0);
    }

    static @Nullable LoraSpec read(@Nullable JsonNode node) {
        if (node == null || node.isNull()) {
            return null;
        }

        Map<String, Integer> ranks = new TreeMap<>();
        TrainPlanJson.field(node, "rank_pattern")
                .fields()
                .forEachRemaining(e -> ranks.put(e.getKey(), e.getValue().intValue()));
        Map<String, Double> alphas = new TreeMap<>();
        TrainPlanJson.field(node, "alpha_pattern")
                .fields()
                .forEachRemaining(e -> alphas.put(e.getKey(), e.getValue().doubleValue()));
        return new LoraSpec(
                TrainPlanJson.field(node, "rank").intValue(),
                TrainPlanJson.number(node, "alpha"),
                TrainPlanJson.number(node, "dropout"),
                targets(node),
                TrainPlanJson.field(node, "use_rslora").booleanValue(),
                TrainPlanJson.field(node, "use_dora").booleanValue(),
                ranks,
                alphas,
                FactorInitialization.parse(TrainPlanJson.text(node, "init_lora_weights")),
                saved(node),
                parameters(node));
    }

    private static TargetParameters parameters(JsonNode node) {
        List<String> names = new ArrayList<>();
        node.path(PARAMETERS).forEach(name -> names.add(name.asText()));
        return new TargetParameters(names);
    }

    private static void writeTargets(TargetModules targets, ObjectNode node) {
        ArrayNode layers = node.putArray("layers_to_transform");
        if (!(targets instanceof TargetModules.Narrowed narrowed)) {
            node.put("target_modules", targets.words());
            return;
        }

        node.put("target_modules", narrowed.chosen().words());
        narrowed.layers().forEach(layers::add);
        if (narrowed.excluded() != null) {
            node.put("exclude_modules", narrowed.excluded().words());
        }
    }

    private static TargetModules targets(JsonNode node) {
        TargetModules chosen = TargetModules.parse(TrainPlanJson.text(node, "target_modules"));
        TargetModules excluded = node.hasNonNull("exclude_modules")
                ? TargetModules.parse(TrainPlanJson.text(node, "exclude_modules"))
                : null;
        List<Integer> layers = new ArrayList<>();
        TrainPlanJson.field(node, "layers_to_transform").forEach(layer -> layers.add(layer.intValue()));
        return excluded == null && layers.isEmpty() ? chosen : new TargetModules.Narrowed(chosen, excluded, layers);
    }
}
