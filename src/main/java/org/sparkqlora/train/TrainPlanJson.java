package org.sparkqlora.train;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Iterator;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import org.sparkqlora.input.BadInputException;
import org.sparkqlora.input.TreeJson;
import org.sparkqlora.model.layout.Method;
import org.sparkqlora.model.layout.ModelSpec;
import org.sparkqlora.model.layout.Precision;
import org.sparkqlora.objective.ObjectiveJson;
import org.sparkqlora.objective.ObjectiveKind;
import org.sparkqlora.optim.DecayedTensors;
import org.sparkqlora.optim.OptimizerKind;
import org.sparkqlora.optim.OptimizerSpec;
import org.sparkqlora.optim.Schedule;
import org.sparkqlora.optim.ScheduleKind;
import org.sparkqlora.quant.FourBitCode;
import org.sparkqlora.quant.QuantSpec;

/** {@code plan.json}: a training plan as a document. */
public final class TrainPlanJson {
    private static final ObjectMapper MAPPER = new ObjectMapper();
    private static final int FORMAT = 1;

    private static final String FORMAT_KEY = "format_version";
    private static final String MODEL = "model";
    private static final String BASE = "base_fingerprint";
    private static final String METHOD = "method";
    private static final String PRECISION = "precision";
    private static final String QUANT = "quant";
    private static final String LORA = "lora";
    private static final String NOISE = "neftune_noise_alpha";
    private static final String ROUTER_LOSS = "router_aux_loss_coef";
    private static final String INITIAL_ADAPTER = "initial_adapter";
    private static final String TAKEN_FACTORS = "taken_factors_sha256";
    private static final String DATA = "data";
    private static final String BATCHES = "batches";
    private static final String LOCAL_STEPS = "local_steps";
    private static final String OPTIMIZER = "optimizer";
    private static final String LORA_PLUS_RATIO = "loraplus_lr_ratio";
    private static final String DECAYED = "weight_decay_on";
    private static final String SCHEDULE = "schedule";
    private static final String WIRE = "wire";
    private static final String MAX_GRADIENT_NORM = "max_grad_norm";
    private static final String SEED = "seed";
    private static final String SUMMATION = "summation";
    private static final String OBJECTIVE = "objective";
    private static final String SHARED_PROMPTS = "shared_prompts";
    private static final Set<String> KEYS = Set.of(
            FORMAT_KEY,
            MODEL,
            BASE,
            METHOD,
            PRECISION,
            QUANT,
            LORA,
            NOISE,
            ROUTER_LOSS,
            INITIAL_ADAPTER,
            TAKEN_FACTORS,
            DATA,
            BATCHES,
            OPTIMIZER,
            SCHEDULE,
            WIRE,
            MAX_GRADIENT_NORM,
            SEED,
            SUMMATION,
            OBJECTIVE,
            SHARED_PROMPTS);

    private TrainPlanJson() {}

    public static String write(TrainPlan plan) {
        try {
            return MAPPER.writerWithDefaultPrettyPrinter().writeValueAsString(tree(plan)) + "\n";
        } catch (JsonProcessingException e) {
            throw new IllegalStateException("Cannot write a plan as JSON", e);
        }
    }

    public static TrainPlan read(String json) {
        JsonNode root = parse(json);
        requireKeys(root);
        return new TrainPlan(
                text(root, MODEL),
                root.hasNonNull(BASE) ? text(root, BASE) : null,
                new ModelSpec(
                        Method.parse(text(root, METHOD)),
                        Precision.parse(text(root, PRECISION)),
                        quant(field(root, QUANT)),
                        LoraSpecJson.read(root.get(LORA)),
                        root.has(NOISE) ? number(root, NOISE) : 0,
                        root.has(ROUTER_LOSS) ? number(root, ROUTER_LOSS) : 0),
                root.hasNonNull(INITIAL_ADAPTER) ? text(root, INITIAL_ADAPTER) : null,
                root.hasNonNull(TAKEN_FACTORS) ? text(root, TAKEN_FACTORS) : null,
                text(root, DATA),
                batches(field(root, BATCHES)),
                optimizer(field(root, OPTIMIZER)),
                schedule(field(root, SCHEDULE)),
                root.has(WIRE) ? GradientDtype.parse(text(root, WIRE)) : GradientDtype.FP32,
                number(root, MAX_GRADIENT_NORM),
                field(root, SEED).longValue(),
                root.has(SUMMATION) ? constant(Summation.class, root, SUMMATION) : Summation.SEQUENTIAL,
                ObjectiveJson.read(root.get(OBJECTIVE)),
                root.has(SHARED_PROMPTS) && field(root, SHARED_PROMPTS).booleanValue());
    }

    /** The differing values, a line each: {@code batches.batch_size is 8, was 4}. */
    public static List<String> differences(TrainPlan recorded, TrainPlan wanted) {
        Map<String, String> before = values(recorded);
        Map<String, String> after = values(wanted);
        Set<String> keys = new TreeSet<>(before.keySet());
        keys.addAll(after.keySet());
        List<String> differences = new ArrayList<>();
        for (String key : keys) {
            if (!Objects.equals(before.get(key), after.get(key))) {
                differences.add("%s is %s, was %s".formatted(key, after.get(key), before.get(key)));
            }
        }

        return differences;
    }

    /** All values by the keys that lead there: {@code lora.rank} is {@code 16}. */
    public static Map<String, String> values(TrainPlan plan) {
        Map<String, String> values = new TreeMap<>();
        flattenInto(values, "", tree(plan));
        return values;
    }

    private static ObjectNode tree(TrainPlan plan) {
        ObjectNode root = MAPPER.createObjectNode();
        root.put(FORMAT_KEY, FORMAT);
        root.put(MODEL, plan.model());
        if (plan.base() != null) {
            root.put(BASE, plan.base());
        }

        root.put(METHOD, plan.spec().method().optionName());
        root.put(PRECISION, plan.spec().precision().optionName());
        writeQuant(plan.spec().quant(), root.putObject(QUANT));
        if (plan.spec().lora() != null) {
            LoraSpecJson.write(plan.spec().lora(), root.putObject(LORA));
        }

        if (plan.spec().noise() != 0) {
            root.put(NOISE, plan.spec().noise());
        }

        if (plan.spec().routerLoss() != 0) {
            root.put(ROUTER_LOSS, plan.spec().routerLoss());
        }

        root.put(INITIAL_ADAPTER, plan.initialAdapter());
        if (plan.takenFactors() != null) {
            root.put(TAKEN_FACTORS, plan.takenFactors());
        }

        root.put(DATA, plan.data());
        writeBatches(plan.batches(), root.putObject(BATCHES));
        writeOptimizer(plan.optimizer(), root.putObject(OPTIMIZER));
        writeSchedule(plan.schedule(), root.putObject(SCHEDULE));
        root.put(WIRE, plan.gradientDtype().optionName());
        root.put(MAX_GRADIENT_NORM, plan.maxGradientNorm());
        root.put(SEED, plan.seed());
        if (plan.summation() != Summation.SEQUENTIAL) {
            root.put(SUMMATION, word(plan.summation()));
        }

        if (plan.objective().kind() != ObjectiveKind.SFT) {
            ObjectiveJson.write(plan.objective(), root.putObject(OBJECTIVE));
        }

        if (plan.sharedPrompts()) {
            root.put(SHARED_PROMPTS, true);
        }

        return root;
    }

    private static void writeQuant(QuantSpec quant, ObjectNode node) {
        node.put("code", word(quant.code()));
        node.put("block_size", quant.blockSize());
        node.put("double_quant", quant.doubleQuant());
    }

    private static QuantSpec quant(JsonNode node) {
        return new QuantSpec(
                constant(FourBitCode.class, node, "code"),
                field(node, "block_size").intValue(),
                field(node, "double_quant").booleanValue());
    }

    private static void writeBatches(BatchPlan batches, ObjectNode node) {
        node.put("rows", batches.rows());
        node.put("batch_size", batches.batchSize());
        node.put("micro_batch_size", batches.microBatchSize());
        node.put("shards", batches.shards());
        node.put("order", word(batches.order()));
        node.put("end_position", batches.endPosition());
        if (batches.localSteps() != 1) {
            node.put(LOCAL_STEPS, batches.localSteps());
        }
    }

    private static BatchPlan batches(JsonNode node) {
        return new BatchPlan(
                field(node, "rows").longValue(),
                field(node, "batch_size").intValue(),
                field(node, "micro_batch_size").intValue(),
                field(node, "shards").intValue(),
                constant(BatchPlan.RowOrder.class, node, "order"),
                field(node, "end_position").longValue(),
                node.has(LOCAL_STEPS) ? field(node, LOCAL_STEPS).intValue() : 1);
    }

    private static void writeOptimizer(OptimizerSpec optimizer, ObjectNode node) {
        node.put("kind", word(optimizer.kind()));
        node.put("beta1", optimizer.beta1());
        node.put("beta2", optimizer.beta2());
        node.put("epsilon", optimizer.epsilon());
        node.put("weight_decay", optimizer.weightDecay());
        if (optimizer.loraPlusRatio() != 1) {
            node.put(LORA_PLUS_RATIO, optimizer.loraPlusRatio());
        }

        if (optimizer.decayed() != DecayedTensors.ALL) {
            node.put(DECAYED, word(optimizer.decayed()));
        }
    }

    private static OptimizerSpec optimizer(JsonNode node) {
        return new OptimizerSpec(
                constant(OptimizerKind.class, node, "kind"),
                number(node, "beta1"),
                number(node, "beta2"),
                number(node, "epsilon"),
                number(node, "weight_decay"),
                node.has(LORA_PLUS_RATIO) ? number(node, LORA_PLUS_RATIO) : 1,
                node.has(DECAYED) ? constant(DecayedTensors.class, node, DECAYED) : DecayedTensors.ALL);
    }

    private static void writeSchedule(Schedule schedule, ObjectNode node) {
        node.put("kind", word(schedule.kind()));
        node.put("learning_rate", schedule.base());
        node.put("warmup_steps", schedule.warmupSteps());
        node.put("total_steps", schedule.totalSteps());
    }

    private static Schedule schedule(JsonNode node) {
        return new Schedule(
                constant(ScheduleKind.class, node, "kind"),
                number(node, "learning_rate"),
                field(node, "warmup_steps").intValue(),
                field(node, "total_steps").intValue());
    }

    private static JsonNode parse(String json) {
        return TreeJson.read(json, e -> new BadInputException("Cannot read a plan: " + e.getOriginalMessage(), e));
    }

    private static void requireKeys(JsonNode root) {
        if (field(root, FORMAT_KEY).intValue() != FORMAT) {
            throw new BadInputException(
                    "Cannot read a plan of format %s: expected %d. Was it written by a newer version?"
                            .formatted(root.get(FORMAT_KEY), FORMAT));
        }

        for (Iterator<String> names = root.fieldNames(); names.hasNext(); ) {
            String name = names.next();
            if (!KEYS.contains(name)) {
                throw new BadInputException("Cannot read a plan: unknown key '%s'".formatted(name));
            }
        }
    }

    static JsonNode field(JsonNode node, String key) {
        JsonNode value = node.get(key);
        if (value == null || value.isNull()) {
            throw new BadInputException("Cannot read a plan: expected a value for '%s', found none".formatted(key));
        }

        return value;
    }

    static String text(JsonNode node, String key) {
        return field(node, key).asText();
    }

    static double number(JsonNode node, String key) {
        return field(node, key).doubleValue();
    }

    private static <E extends Enum<E>> E constant(Class<E> type, JsonNode node, String key) {
        String found = text(node, key);
        return Arrays.stream(type.getEnumConstants())
                .filter(constant -> word(constant).equals(found.toLowerCase(Locale.ROOT)))
                .findFirst()
                .orElseThrow(() -> new BadInputException("Cannot read a training plan: expected %s of %s, found %s"
                        .formatted(key, Arrays.toString(type.getEnumConstants()).toLowerCase(Locale.ROOT), found)));
    }

    private static String word(Enum<?> constant) {
        return constant.name().toLowerCase(Locale.ROOT);
    }

    private static void flattenInto(Map<String, String> values, String prefix, JsonNode node) {
        node.fields().forEachRemaining(entry -> {
            if (entry.getValue().isObject()) {
                flattenInto(values, prefix + entry.getKey() + ".", entry.getValue());
            } else {
                values.put(prefix + entry.getKey(), words(entry.getValue()));
            }
        });
    }

    /** Jackson has no text for a list. */
    private static String words(JsonNode value) {
        if (!value.isArray()) {
            return value.asText();
        }

        List<String> members = new ArrayList<>();
        value.forEach(member -> members.add(member.asText()));
        return members.toString();
    }
}
