package org.sparkqlora.weights.gguf;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.sparkqlora.input.BadInputException;
import org.sparkqlora.quant.Workers;
import org.sparkqlora.weights.ChangedWeights;
import org.sparkqlora.weights.WeightFolder;
import org.sparkqlora.weights.family.ModelConfig;
import org.sparkqlora.weights.family.ModelConfigJson;
import org.sparkqlora.weights.family.TextConfigJson;
import org.sparkqlora.weights.safetensors.FieldsJson;

/**
 * A model as a GGUF file, as {@code convert_hf_to_gguf.py} of llama.cpp makes it, and {@code llama-quantize} for mixed types: the
 * weights in float32 are rounded once to the types of the file. Weights pass through one at a time.
 */
public final class GgufExport {
    private static final String FILE_TYPE = "general.file_type";
    private static final String QUANTIZATION_VERSION = "general.quantization_version";
    private static final String GENERATION_CONFIG = "generation_config.json";
    private static final int VERSION = 2;

    private final GgufEntries entries;
    private final List<GgufStream.Tensor> tensors;
    private final String fileName;
    private final List<String> notes;

    GgufExport(GgufEntries entries, List<GgufStream.Tensor> tensors, String fileName, List<String> notes) {
        this.entries = entries;
        this.tensors = tensors;
        this.fileName = fileName;
        this.notes = List.copyOf(notes);
    }

    /**
     * The file's metadata of the model, beside its weights.
     *
     * @param tokenizer folder with tokenizer and chat template
     * @param id what the model is called, such as {@code org/Base-7B} or its folder's name, where {@code config.json} does not say it
     * @param name of the model for people; empty to guess it from {@code config.json} and the id
     * @param preTokenizer llama.cpp's name of the pre-tokenizer; empty to find it
     */
    public record Labels(Path tokenizer, String id, Optional<String> name, Optional<String> preTokenizer) {}

    /** The file of {@code source} with the values of {@code changed}, checked as far as its headers and configs go. */
    public static GgufExport of(WeightFolder source, ChangedWeights changed, GgufOutType outType, Labels labels) {
        requirePlain(source, changed);
        ModelConfig config = changed.config(source.config());
        FieldsJson whole = FieldsJson.read(source.path().resolve(ModelConfigJson.FILE_NAME));
        FieldsJson fields = TextConfigJson.of(whole);
        List<String> notes = GgufFit.check(config, fields);
        List<GgufStream.Tensor> tensors = new GgufWeights(source, changed).tensors(outType);
        GgufIdentity.ParameterTotal total = GgufIdentity.ParameterTotal.of(tensors);
        GgufIdentity identity = identity(whole, total, labels);
        GgufEntries entries = new GgufEntries();
        entries.text("general.architecture", GgufArchitecture.of(config).label());
        entries.text("general.type", "model");
        putSampling(entries, source.path().resolve(GENERATION_CONFIG));
        identity.put(entries);
        new GgufConfigEntries(entries, config, fields, outType).put();
        entries.count(QUANTIZATION_VERSION, VERSION);
        new GgufTokenizerEntriesJson(entries, TokenizerSourceJson.of(labels.tokenizer()), config, labels.preTokenizer())
                .put();
        return new GgufExport(
                outType.isMixed() ? entries.withLast(List.of(QUANTIZATION_VERSION, FILE_TYPE)) : entries,
                tensors,
                identity.fileName(outType, Optional.empty()),
                notes);
    }

    /** What a server computes otherwise than the model, in texts that are longer than most. */
    public List<String> notes() {
        return notes;
    }

    /** What the model in a file of this name is called: {@code Base-7B} in {@code Base-7B-Q8_0.gguf}. */
    public static String idOf(String fileName) {
        return GgufNameParts.withoutEncoding(fileName.substring(0, fileName.length() - GgufFolder.SUFFIX.length()));
    }

    /** The name by llama.cpp's rule. */
    public String fileName() {
        return fileName;
    }

    public int tensors() {
        return tensors.size();
    }

    /** Writes the file from front to back. */
    public void write(OutputStream out, Workers workers) throws IOException {
        new GgufStream(entries, tensors, workers).write(out);
    }

    private static GgufIdentity identity(FieldsJson fields, GgufIdentity.ParameterTotal total, Labels labels) {
        String named = fields.text("_name_or_path", "");
        boolean isId = !named.isEmpty() && named.indexOf('/') == named.lastIndexOf('/');
        GgufIdentity byConfig = isId ? GgufIdentity.guessed(named, total) : GgufIdentity.unknown();
        GgufIdentity found =
                byConfig.or(GgufIdentity.guessed(labels.id(), total)).sized(total);
        return labels.name().map(found::named).orElse(found);
    }

    /** The sampling that {@code generation_config.json} recommends. */
    private static void putSampling(GgufEntries entries, Path file) {
        if (!Files.isRegularFile(file)) {
            return;
        }

        FieldsJson fields = FieldsJson.read(file);
        if (fields.has("top_k")) {
            entries.integer("general.sampling.top_k", fields.integer("top_k"));
        }

        putSampling(entries, fields, "top_p", "top_p");
        putSampling(entries, fields, "min_p", "min_p");
        putSampling(entries, fields, "temperature", "temp");
        putSampling(entries, fields, "repetition_penalty", "penalty_repeat");
    }

    private static void putSampling(GgufEntries entries, FieldsJson fields, String field, String key) {
        if (fields.has(field)) {
            entries.number("general.sampling." + key, fields.number(field));
        }
    }

    private static void requirePlain(WeightFolder source, ChangedWeights changed) {
        source.names().stream()
                .filter(weight -> !changed.has(weight) && source.fourBit(weight).isPresent())
                .findFirst()
                .ifPresent(weight -> {
                    throw new BadInputException(
                            "Cannot export %s as GGUF: expected weights in 16 or 32 bits, found %s in 4 bits. Export the model it was quantised from, or merge an adapter into it with --base quantized"
                                    .formatted(source.path(), weight));
                });
    }
}
