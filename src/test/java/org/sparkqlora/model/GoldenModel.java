package org.sparkqlora.model;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import org.jspecify.annotations.Nullable;
import org.sparkqlora.model.layout.LoraSpec;
import org.sparkqlora.model.layout.Method;
import org.sparkqlora.model.layout.ModelSpec;
import org.sparkqlora.model.layout.Parameter;
import org.sparkqlora.model.layout.ParameterIndex;
import org.sparkqlora.model.layout.Precision;
import org.sparkqlora.model.layout.SavedModules;
import org.sparkqlora.model.layout.TargetModules;
import org.sparkqlora.model.layout.TargetParameters;
import org.sparkqlora.quant.FloatSource;
import org.sparkqlora.quant.QuantSpec;
import org.sparkqlora.quant.Workers;
import org.sparkqlora.tensor.FlatVector;
import org.sparkqlora.tokenizer.packing.TokenRow;
import org.sparkqlora.weights.QuantizedCache;
import org.sparkqlora.weights.WeightFolder;
import org.sparkqlora.weights.safetensors.SafetensorsFile;
import org.sparkqlora.weights.safetensors.TensorSource;

/** One folder of the reference data in {@code goldens/models}, as its README describes it. */
public final class GoldenModel {
    private static final Path ROOT = Path.of("src/test/resources/goldens/models");
    private static final ObjectMapper JSON = new ObjectMapper();

    /** The folders that {@code make_family_goldens.py} made: a family that it learns is tested by all that is tested of families. */
    public static final List<String> MADE_BY_FAMILY = madeByFamily();

    /** Folders of each family with weights in float32. */
    public static final List<String> FAMILIES = Stream.concat(
                    Stream.of("llama-tied", "llama-sharded", "mistral-window", "qwen2-bias", "qwen3-qknorm"),
                    MADE_BY_FAMILY.stream())
            .toList();

    private final Path base;
    private final Path data;
    private final Path folder;
    private final String results;

    /** The folder {@code name}, or a variant such as {@code llama-tied/variants/dora}. */
    public GoldenModel(String name) {
        this(name, "expected");
    }

    /** As {@link #GoldenModel(String)}, compared with the results in the files {@code results}.json and .safetensors. */
    public GoldenModel(String name, String results) {
        this.results = results;
        this.folder = ROOT.resolve(name);
        this.data = name.contains("/variants/") ? folder.resolve("../..").normalize() : folder;
        this.base = data.resolve("base");
    }

    /** The base as the mode needs it: as stored, or quantised under {@code cache}. */
    public WeightFolder weights(Mode mode, Path cache) {
        WeightFolder stored = WeightFolder.open(base);
        if (mode != Mode.QLORA) {
            return stored;
        }

        try (Workers workers = new Workers(1)) {
            return new QuantizedCache(cache).open(stored, QuantSpec.DEFAULT, workers);
        }
    }

    public ModelSpec spec(Mode mode) {
        return spec(mode, 0);
    }

    ModelSpec spec(Mode mode, double dropout) {
        return new ModelSpec(mode.method, Precision.FP32, QuantSpec.DEFAULT, mode == Mode.FULL ? null : lora(dropout));
    }

    /** The base's projections with the adapter folded in. */
    public SafetensorsFile merged() {
        return SafetensorsFile.open(folder.resolve("merged.safetensors"));
    }

    /** The adapter of the folder, laid out flat. */
    public FlatVector adapter(ParameterIndex index) {
        return flat(index, folder.resolve("adapter/adapter_model.safetensors"), "");
    }

    /** The trained parameters of the mode, before the first step. */
    public FlatVector start(Mode mode, ParameterIndex index) {
        if (mode != Mode.FULL) {
            return adapter(index);
        }

        try (WeightFolder stored = WeightFolder.open(base)) {
            return flat(index, stored, "");
        }
    }

    /** The tensors named {@code prefix} + parameter of the expected results, laid out flat. */
    public FlatVector expected(ParameterIndex index, String prefix) {
        return flat(index, folder.resolve(results + ".safetensors"), prefix);
    }

    /** The adapter that PEFT converted for the base as it was. */
    public FlatVector converted(ParameterIndex index) {
        return flat(index, folder.resolve("converted/adapter_model.safetensors"), "");
    }

    public float[] expected(String name) {
        return read(SafetensorsFile.open(folder.resolve(results + ".safetensors")), name);
    }

    public JsonNode expectedNumbers(Mode mode) {
        JsonNode all = json(folder.resolve(results + ".json"));
        return all.has(mode.prefix) ? all.get(mode.prefix) : all.get("modes").get(mode.prefix);
    }

    /** The batch's documents, one row each, padding cut off. */
    public List<TokenRow> batch() {
        JsonNode batch = json(data.resolve("batch.json"));
        List<TokenRow> rows = new ArrayList<>();
        for (int i = 0; i < batch.get("input_ids").size(); i++) {
            int length = sum(ints(batch.get("attention_mask").get(i)));
            int[] ids = ints(batch.get("input_ids").get(i));
            int[] labels = ints(batch.get("labels").get(i));
            rows.add(row(ids, labels, null, length));
        }

        return rows;
    }

    /** These documents in one row. */
    public List<TokenRow> packed() {
        JsonNode packed = json(data.resolve("packed.json"));
        int[] segments = ints(first(packed.get("segment_ids")));
        int length = 0;
        while (length < segments.length && segments[length] >= 0) {
            length++;
        }

        return List.of(row(ints(first(packed.get("input_ids"))), ints(first(packed.get("labels"))), segments, length));
    }

    /** Those whose results hold the gradients of all weights. */
    private static List<String> madeByFamily() {
        try (Stream<Path> folders = Files.list(ROOT)) {
            return folders.filter(folder -> Files.exists(folder.resolve("expected.json")))
                    .filter(folder -> json(folder.resolve("expected.json")).has(Mode.FULL.prefix))
                    .map(folder -> folder.getFileName().toString())
                    .sorted()
                    .toList();
        } catch (IOException e) {
            throw new UncheckedIOException("Failed to list " + ROOT, e);
        }
    }

    private LoraSpec lora(double dropout) {
        JsonNode config = json(folder.resolve("adapter/adapter_config.json"));
        JsonNode targets = config.get("target_modules");
        Map<String, Integer> ranks = new HashMap<>();
        config.get("rank_pattern")
                .fields()
                .forEachRemaining(e -> ranks.put(e.getKey(), e.getValue().asInt()));
        Map<String, Double> alphas = new HashMap<>();
        config.get("alpha_pattern")
                .fields()
                .forEachRemaining(e -> alphas.put(e.getKey(), e.getValue().asDouble()));
        return new LoraSpec(
                        config.get("r").asInt(),
                        config.get("lora_alpha").asDouble(),
                        dropout,
                        targets.isTextual()
                                ? new TargetModules.Expression(targets.asText())
                                : new TargetModules.Names(StreamSupport.stream(targets.spliterator(), false)
                                        .map(JsonNode::asText)
                                        .toList()),
                        config.get("use_rslora").asBoolean(),
                        config.get("use_dora").asBoolean(),
                        ranks,
                        alphas)
                .withSaved(saved(config))
                .withParameters(parameters(config));
    }

    private static TargetParameters parameters(JsonNode config) {
        List<String> names = new ArrayList<>();
        config.path("target_parameters").forEach(name -> names.add(name.asText()));
        return new TargetParameters(names);
    }

    private static SavedModules saved(JsonNode config) {
        List<String> names = new ArrayList<>();
        config.get("modules_to_save").forEach(name -> names.add(name.asText()));
        return SavedModules.named(names, config.path("ensure_weight_tying").asBoolean());
    }

    private static TokenRow row(int[] ids, int[] labels, int @Nullable [] segments, int length) {
        int[] kept = new int[ids.length];
        boolean[] trained = new boolean[ids.length];
        boolean[] starts = new boolean[ids.length];
        for (int t = 0; t < length; t++) {
            kept[t] = ids[t];
            starts[t] = t == 0 || segments != null && segments[t] != segments[t - 1];
            trained[t] = labels[t] != -100 && !starts[t];
        }

        return new TokenRow(kept, trained, starts, length);
    }

    /** An adapter in {@code file}, laid out flat. */
    public FlatVector flat(ParameterIndex index, Path file) {
        return flat(index, file, "");
    }

    private static FlatVector flat(ParameterIndex index, Path file, String prefix) {
        return flat(index, SafetensorsFile.open(file), prefix);
    }

    private static FlatVector flat(ParameterIndex index, TensorSource tensors, String prefix) {
        FlatVector values = FlatVector.zeros(index.size());
        for (Parameter parameter : index.all()) {
            float[] tensor = read(tensors, prefix + parameter.name());
            values.write(parameter.offset(), tensor, 0, tensor.length);
        }

        return values;
    }

    private static float[] read(TensorSource file, String name) {
        FloatSource source = file.tensor(name).asFloats();
        float[] values = new float[(int) source.length()];
        source.read(0, values, values.length);
        return values;
    }

    private static JsonNode first(JsonNode rows) {
        return rows.get(0).isArray() ? rows.get(0) : rows;
    }

    private static int[] ints(JsonNode array) {
        int[] values = new int[array.size()];
        for (int i = 0; i < values.length; i++) {
            values[i] = array.get(i).asInt();
        }

        return values;
    }

    private static int sum(int[] values) {
        int sum = 0;
        for (int value : values) {
            sum += value;
        }

        return sum;
    }

    private static JsonNode json(Path path) {
        try {
            return JSON.readTree(Files.readString(path));
        } catch (IOException e) {
            throw new UncheckedIOException("Failed to read " + path, e);
        }
    }

    /** The modes of the reference data. */
    public enum Mode {
        LORA(Method.LORA, "lora_f32"),
        QLORA(Method.QLORA, "qlora_nf4_dq"),
        FULL(Method.FULL, "full_f32");

        private final Method method;
        private final String prefix;

        Mode(Method method, String prefix) {
            this.method = method;
            this.prefix = prefix;
        }

        public String prefix() {
            return prefix;
        }
    }
}
