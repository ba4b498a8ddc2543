package org.sparkqlora.command.inspect;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.nio.file.Path;
import java.util.Arrays;
import org.sparkqlora.checkpoint.AdapterConfig;
import org.sparkqlora.checkpoint.Checkpoint;
import org.sparkqlora.spark.prepare.PreparationCounts;
import org.sparkqlora.spark.prepare.PreparedData;
import org.sparkqlora.tokenizer.EncodedExample;
import org.sparkqlora.train.TrainPlan;
import org.sparkqlora.weights.WeightFolder;
import org.sparkqlora.weights.family.ModelConfig;
import org.sparkqlora.weights.gguf.GgufSummary;
import org.sparkqlora.weights.safetensors.SafetensorsFile;

/** The output of {@code inspect}: one object, with the kind first. */
final class InspectionJson {
    private static final ObjectMapper MAPPER = new ObjectMapper();
    private static final String PATH = "path";

    private InspectionJson() {}

    static String model(WeightFolder weights) {
        ObjectNode root = of(weights.quantized() ? "model in 4 bits" : "model", weights.path());
        putConfig(root, weights.config(), parameters(weights));
        return root.toString();
    }

    static String gguf(GgufSummary summary) {
        ObjectNode root = of("GGUF file", summary.file());
        putConfig(root, summary.config(), summary.parameters());
        ObjectNode types = root.putObject("tensors_by_type");
        summary.types().forEach(types::put);
        root.put("tokenizer", summary.tokenizer());
        root.put("tokens", summary.tokens());
        root.put("chat_template", summary.templated());
        return root.toString();
    }

    private static void putConfig(ObjectNode root, ModelConfig config, long parameters) {
        root.put("model_type", config.modelType());
        root.put("parameters", parameters);
        root.put("layers", config.layers());
        root.put("hidden_size", config.hiddenSize());
        root.put("intermediate_size", config.intermediateSize());
        root.put("heads", config.heads());
        root.put("key_value_heads", config.keyValueHeads());
        root.put("vocabulary", config.vocabularySize());
        root.put("max_positions", config.maxPositions());
        root.put("tied_embeddings", config.tiedEmbeddings());
        root.put("stored_type", config.storedType());
    }

    static String adapter(Path folder, AdapterConfig config) {
        ObjectNode root = of("adapter", folder);
        root.put("base_model", config.baseModel());
        root.put("rank", config.lora().rank());
        root.put("alpha", config.lora().alpha());
        root.put("dropout", config.lora().dropout());
        root.put("rslora", config.lora().rankStabilized());
        root.put("dora", config.lora().weightDecomposed());
        root.put("target_modules", config.lora().targets().words());
        if (!config.lora().saved().isEmpty()) {
            ArrayNode saved = root.putArray("modules_to_save");
            config.lora().saved().modules().forEach(module -> saved.add(module.optionName()));
        }

        return root.toString();
    }

    static String prepared(PreparedData data) {
        PreparationCounts counts = data.manifest().counts();
        ObjectNode root = MAPPER.createObjectNode();
        root.put("kind", "prepared rows");
        root.put(PATH, data.folder());
        root.put("sequence_length", data.manifest().documentWidth());
        root.put("examples", counts.examples());
        root.put("rows", counts.rows());
        root.put("tokens", counts.tokens());
        root.put("trained_tokens", counts.trainedTokens());
        return root.toString();
    }

    static String output(Path folder, TrainPlan plan) {
        ObjectNode root = of("training output", folder);
        root.put("model", plan.model());
        root.put("method", plan.spec().method().optionName());
        root.put("steps", plan.batches().steps());
        root.put("batch_size", plan.batches().batchSize());
        root.put("shards", plan.batches().shards());
        return root.toString();
    }

    /** The newest checkpoint that can be trusted. */
    static String checkpoints(Path folder, Checkpoint newest) {
        ObjectNode root = of("checkpoints", folder);
        root.put("newest_step", newest.step());
        ArrayNode damaged = root.putArray("damaged");
        newest.skipped().forEach(damaged::add);
        return root.toString();
    }

    static String tensors(SafetensorsFile file) {
        ObjectNode root = of("safetensors file", file.path());
        root.put("tensors", file.names().size());
        root.put(
                "elements",
                file.names().stream()
                        .mapToLong(name -> file.tensor(name).elements())
                        .sum());
        return root.toString();
    }

    static String data(Path file, DataSurvey survey) {
        ObjectNode root = of("data file", file);
        ObjectNode records = root.putObject("records");
        survey.byFormat().forEach((format, count) -> records.put(format.optionName(), count));
        root.put("bad_records", survey.bad());
        if (survey.bad() > 0) {
            root.put("first_bad_record", survey.firstBad());
        }

        return root.toString();
    }

    /** One example as training sees it. */
    public static String example(String text, EncodedExample encoded) {
        ObjectNode root = MAPPER.createObjectNode();
        root.put("text", text);
        ArrayNode ids = root.putArray("ids");
        Arrays.stream(encoded.ids()).forEach(ids::add);
        ArrayNode trained = root.putArray("trained");
        for (boolean target : encoded.trained()) {
            trained.add(target ? 1 : 0);
        }

        return root.toString();
    }

    private static ObjectNode of(String kind, Path path) {
        return MAPPER.createObjectNode().put("kind", kind).put(PATH, path.toString());
    }

    private static long parameters(WeightFolder weights) {
        return weights.names().stream()
                .mapToLong(name -> Arrays.stream(weights.shapeOf(name)).reduce(1, Math::multiplyExact))
                .sum();
    }
}
