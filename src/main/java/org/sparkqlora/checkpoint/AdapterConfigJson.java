package org.sparkqlora.checkpoint;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.sparkqlora.input.BadInputException;
import org.sparkqlora.model.layout.FactorInitialization;
import org.sparkqlora.model.layout.FactorInitialization.Drawn;
import org.sparkqlora.model.layout.LoraSpec;
import org.sparkqlora.model.layout.SavedModules;
import org.sparkqlora.model.layout.TargetModules;
import org.sparkqlora.model.layout.TargetParameters;
import org.sparkqlora.weights.safetensors.FieldsJson;
import org.sparkqlora.weights.safetensors.InvalidWeightsException;
import org.sparkqlora.weights.safetensors.PythonJson;

/**
 * PEFT's {@code adapter_config.json}. Reads files of any version: unknown keys are ignored, known keys that would change the
 * arithmetic are refused, all together. Writes the keys that every version and reader knows.
 */
public final class AdapterConfigJson {
    /** PEFT's default targets in all families here. */
    private static final List<String> DEFAULT_TARGETS = List.of("q_proj", "v_proj");

    private static final List<String> FLAGS_THAT_MUST_BE_OFF =
            List.of("fan_in_fan_out", "lora_bias", "use_qalora", "use_bdlora");
    private static final List<String> KEYS_THAT_MUST_BE_EMPTY = List.of(
            "layer_replication",
            "trainable_token_indices",
            "alora_invocation_tokens",
            "arrow_config",
            "kasa_config",
            "monteclora_config",
            "velora_config");

    private static final String INITIALIZATION = "init_lora_weights";
    private static final List<String> INITIALIZATIONS_THAT_CHANGE_THE_BASE =
            List.of("pissa", "olora", "corda", "loftq", "lora_ga");

    private static final String SAVED = "modules_to_save";
    private static final String PARAMETERS = "target_parameters";

    /** The task type of adapters with a head that scores texts. */
    private static final String SCORES = "SEQ_CLS";

    /** Names that PEFT gives to heads by itself; which one an adapter has, its tensors say. */
    private static final List<String> HEADS = List.of(SavedModules.SCORE, "classifier");

    private static final String TYING = "ensure_weight_tying";

    private AdapterConfigJson() {}

    /** Reads {@code text}; {@code document} is its name in messages. */
    public static AdapterConfig parse(String document, String text) {
        FieldsJson fields = FieldsJson.parse(document, text);
        requireSupported(fields);
        LoraSpec lora = new LoraSpec(
                fields.count("r", 8),
                fields.number("lora_alpha", 8),
                fields.number("lora_dropout", 0),
                narrowed(fields),
                fields.flag("use_rslora", false),
                fields.flag("use_dora", false),
                ranks(fields),
                alphas(fields),
                initialization(fields),
                saved(fields),
                parameters(fields));
        return new AdapterConfig(lora, fields.text("base_model_name_or_path", ""));
    }

    /** The text of the file. */
    public static String write(AdapterConfig config) {
        LoraSpec lora = config.lora();
        ObjectNode root = JsonNodeFactory.instance.objectNode();
        root.put("peft_type", "LORA");
        root.put("task_type", lora.saved().scores() ? SCORES : "CAUSAL_LM");
        root.put("base_model_name_or_path", config.baseModel());
        root.put("r", lora.rank());
        putNumber(root, "lora_alpha", lora.alpha());
        root.put("lora_dropout", lora.dropout());
        putTargets(root, lora.targets());
        if (!lora.parameters().isEmpty()) {
            lora.parameters().names().forEach(root.putArray(PARAMETERS)::add);
        }

        root.put("use_rslora", lora.rankStabilized());
        root.put("use_dora", lora.weightDecomposed());
        lora.rankPattern().forEach(root.putObject("rank_pattern")::put);
        ObjectNode alphas = root.putObject("alpha_pattern");
        lora.alphaPattern().forEach((key, alpha) -> putNumber(alphas, key, alpha));
        root.put("bias", "none");
        root.put("fan_in_fan_out", false);
        root.put("inference_mode", true);
        putInitialization(root, lora.initialization());
        putSaved(root, lora.saved());
        Stream.of("auto_mapping", "layers_pattern", "revision").forEach(root::putNull);
        return PythonJson.text(root);
    }

    private static void requireSupported(FieldsJson fields) {
        List<String> problems = new ArrayList<>();
        String type = fields.text("peft_type");
        if (!type.equals("LORA")) {
            problems.add("expected peft_type LORA, found " + type);
        }

        String bias = fields.text("bias", "none");
        if (!bias.equals("none")) {
            problems.add("expected bias none, found " + bias);
        }

        FLAGS_THAT_MUST_BE_OFF.stream()
                .filter(key -> fields.flag(key, false))
                .forEach(key -> problems.add("expected %s false, found true".formatted(key)));
        KEYS_THAT_MUST_BE_EMPTY.stream()
                .filter(key -> fields.has(key) && !isEmpty(fields.node().get(key)))
                .forEach(key -> problems.add(
                        "expected no %s, found %s".formatted(key, fields.node().get(key))));
        if (belongsToChangedBase(fields)) {
            problems.add(
                    "expected an adapter of the base as it was, found one of what init_lora_weights %s left of it. Save it with PEFT's path_initial_model_for_weight_conversion"
                            .formatted(fields.node().path(INITIALIZATION).asText()));
        }

        if (!problems.isEmpty()) {
            throw new InvalidWeightsException(
                    "Unsupported adapter in %s: %s".formatted(fields.document(), String.join("; ", problems)));
        }
    }

    private static boolean isEmpty(JsonNode node) {
        return node.isContainerNode() && node.isEmpty();
    }

    private static TargetModules narrowed(FieldsJson fields) {
        JsonNode pattern = fields.node().path("layers_pattern");
        if (!pattern.isMissingNode()
                && !pattern.isNull()
                && !isEmpty(pattern)
                && !pattern.asText().equals("layers")) {
            throw fields.wrong("layers_pattern", "none or layers", pattern);
        }

        TargetModules chosen = fields.has("target_modules")
                ? modules(fields, "target_modules")
                : new TargetModules.Names(DEFAULT_TARGETS);
        TargetModules excluded =
                fields.has("exclude_modules") && !isEmpty(fields.node().get("exclude_modules"))
                        ? modules(fields, "exclude_modules")
                        : null;
        List<Integer> layers = layers(fields);
        return excluded == null && layers.isEmpty() ? chosen : new TargetModules.Narrowed(chosen, excluded, layers);
    }

    private static TargetModules modules(FieldsJson fields, String key) {
        JsonNode node = fields.node().path(key);
        if (node.isTextual()) {
            return node.textValue().equals(TargetModules.ALL_LINEAR)
                    ? new TargetModules.AllLinear()
                    : new TargetModules.Expression(node.textValue());
        }

        List<String> names = new ArrayList<>();
        for (JsonNode name : node) {
            names.add(name.asText());
        }

        if (names.isEmpty() && parameters(fields).isEmpty()) {
            throw fields.wrong(key, "module names", node);
        }

        return new TargetModules.Names(names);
    }

    private static TargetParameters parameters(FieldsJson fields) {
        List<String> names = new ArrayList<>();
        fields.node().path(PARAMETERS).forEach(name -> names.add(name.asText()));
        try {
            return new TargetParameters(names);
        } catch (BadInputException e) {
            throw new InvalidWeightsException(
                    "Unsupported adapter in %s: %s".formatted(fields.document(), e.getMessage()), e);
        }
    }

    /** One number or a list of them. */
    private static List<Integer> layers(FieldsJson fields) {
        if (!fields.has("layers_to_transform")) {
            return List.of();
        }

        JsonNode node = fields.node().get("layers_to_transform");
        List<Integer> layers = new ArrayList<>();
        for (JsonNode layer : node.isArray() ? node : List.of(node)) {
            if (!layer.canConvertToInt()) {
                throw fields.wrong("layers_to_transform", "numbers of layers", node);
            }

            layers.add(layer.intValue());
        }

        return layers;
    }

    /** Settings of the initialisation do not matter for a trained adapter. */
    private static FactorInitialization initialization(FieldsJson fields) {
        return fields.node().path(INITIALIZATION).asText().equals("gaussian") ? Drawn.GAUSSIAN : Drawn.DEFAULT;
    }

    /** PEFT changes the base again when it loads such an adapter. */
    private static boolean belongsToChangedBase(FieldsJson fields) {
        String word = fields.node().path(INITIALIZATION).asText().toLowerCase(Locale.ROOT);
        return INITIALIZATIONS_THAT_CHANGE_THE_BASE.stream().anyMatch(word::startsWith);
    }

    private static void putInitialization(ObjectNode root, FactorInitialization initialization) {
        if (initialization == Drawn.DEFAULT) {
            root.put(INITIALIZATION, true);
        } else {
            root.put(INITIALIZATION, initialization.optionName());
        }
    }

    private static SavedModules saved(FieldsJson fields) {
        if (!fields.has(SAVED) || isEmpty(fields.node().get(SAVED))) {
            return SavedModules.NONE;
        }

        List<String> names = new ArrayList<>();
        fields.node().get(SAVED).forEach(name -> names.add(name.asText()));
        names.removeAll(HEADS);
        try {
            return SavedModules.named(names, fields.flag(TYING, false));
        } catch (BadInputException e) {
            throw new InvalidWeightsException(
                    "Cannot load adapter of %s: %s".formatted(fields.document(), e.getMessage()), e);
        }
    }

    /** Readers that came before tying was optional refuse its key: it stands only where it means something. */
    private static void putSaved(ObjectNode root, SavedModules saved) {
        if (saved.isEmpty() && !saved.scores()) {
            root.putNull(SAVED);
            return;
        }

        ArrayNode names = root.putArray(SAVED);
        saved.modules().forEach(module -> names.add(module.optionName()));
        if (saved.scores()) {
            names.add(SavedModules.SCORE);
        }

        if (saved.weightTying() && !saved.isEmpty()) {
            root.put(TYING, true);
        }
    }

    private static void putTargets(ObjectNode root, TargetModules targets) {
        root.putNull("layers_to_transform");
        if (!(targets instanceof TargetModules.Narrowed narrowed)) {
            putModules(root, "target_modules", targets);
            return;
        }

        putModules(root, "target_modules", narrowed.chosen());
        if (narrowed.excluded() != null) {
            putModules(root, "exclude_modules", narrowed.excluded());
        }

        if (!narrowed.layers().isEmpty()) {
            narrowed.layers().forEach(root.putArray("layers_to_transform")::add);
        }
    }

    private static void putModules(ObjectNode root, String key, TargetModules modules) {
        if (modules instanceof TargetModules.Names names) {
            names.names().stream().sorted().forEach(root.putArray(key)::add);
        } else if (modules instanceof TargetModules.Expression expression) {
            root.put(key, expression.words());
        } else {
            root.put(key, TargetModules.ALL_LINEAR);
        }
    }

    private static Map<String, Integer> ranks(FieldsJson fields) {
        FieldsJson pattern = fields.object("rank_pattern");
        Map<String, Integer> ranks = new TreeMap<>();
        pattern.node().fieldNames().forEachRemaining(key -> ranks.put(key, pattern.count(key)));
        return ranks;
    }

    private static Map<String, Double> alphas(FieldsJson fields) {
        FieldsJson pattern = fields.object("alpha_pattern");
        Map<String, Double> alphas = new TreeMap<>();
        pattern.node().fieldNames().forEachRemaining(key -> alphas.put(key, pattern.number(key)));
        return alphas;
    }

    /** A whole alpha is written without a fraction, as PEFT's own files have it. */
    private static void putNumber(ObjectNode node, String key, double value) {
        if (value == Math.rint(value) && Math.abs(value) < Integer.MAX_VALUE) {
            node.put(key, (int) value);
        } else {
            node.put(key, value);
        }
    }
}
