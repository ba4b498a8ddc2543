package org.sparkqlora.weights.gguf;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.sparkqlora.quant.FloatSource;
import org.sparkqlora.weights.DecoderTensors;
import org.sparkqlora.weights.FolderCache;
import org.sparkqlora.weights.FreshFolder;
import org.sparkqlora.weights.InvalidWeightsException;
import org.sparkqlora.weights.ModelConfigJson;
import org.sparkqlora.weights.SafetensorsWriter;
import org.sparkqlora.weights.SourceFingerprint;
import org.sparkqlora.weights.StoredNumbers;
import org.sparkqlora.weights.StoredType;
import org.sparkqlora.weights.TensorSpec;

/** A Hugging Face folder made from a GGUF file: config, weights in 16 or 32 bits, tokenizer and chat template. */
public final class GgufFolder {
    private static final String SUFFIX = ".gguf";
    private static final String LAYOUT = "gguf 2";
    private static final int PIECE = 1 << 18;

    private final GgufFile file;
    private final GgufShape shape;
    private final Map<String, GgufTensor> tensors = new LinkedHashMap<>();

    private GgufFolder(GgufFile file) {
        this.file = file;
        this.shape = GgufShape.of(file);
    }

    /** Whether {@code path} is a file of this kind, by its name. */
    public static boolean isGguf(Path path) {
        return String.valueOf(path.getFileName()).endsWith(SUFFIX) && Files.isRegularFile(path);
    }

    /** The folder for {@code gguf} under {@code cacheRoot}, written now if it is not there. */
    public static Path cached(Path gguf, Path cacheRoot) {
        FolderCache cache = new FolderCache(cacheRoot, "cache of converted models");
        return cache.folder(SourceFingerprint.of(gguf, LAYOUT), folder -> write(gguf, folder));
    }

    /** Converts {@code gguf} to the folder {@code target}, which must not exist and appears whole or not at all. */
    public static void write(Path gguf, Path target) {
        GgufFolder source = new GgufFolder(GgufFile.open(gguf));
        try (FreshFolder folder = FreshFolder.begin(target)) {
            source.fill(folder.path());
            folder.commit();
        } catch (IOException e) {
            throw new UncheckedIOException("Failed to write " + target, e);
        }
    }

    private void fill(Path folder) throws IOException {
        GgufTokenizerJson tokenizer = new GgufTokenizerJson(GgufVocabulary.of(file.metadata()));
        Path config = folder.resolve("config.json");
        Files.writeString(config, GgufConfigJson.write(file.metadata(), shape));
        requireTensors(DecoderTensors.of(ModelConfigJson.read(config)).shapes());
        Files.writeString(folder.resolve("tokenizer.json"), tokenizer.tokenizer());
        int longest = file.metadata().count(shape.architecture().label() + ".context_length");
        Files.writeString(folder.resolve("tokenizer_config.json"), tokenizer.config(longest));
        writeTensors(folder.resolve("model.safetensors"));
    }

    /** Throws one error that lists every tensor that is missing, unknown or of another shape than the metadata says. */
    private void requireTensors(Map<String, long[]> expected) {
        Set<String> problems = new TreeSet<>();
        for (GgufTensor tensor : file.tensors().values()) {
            String name = GgufNames.huggingFace(tensor.name()).orElse("");
            long[] wanted = expected.get(name);
            if (wanted == null) {
                problems.add("unexpected " + tensor.name());
            } else if (!Arrays.equals(wanted, tensor.shape())) {
                problems.add("%s of shape %s, expected %s"
                        .formatted(tensor.name(), Arrays.toString(tensor.shape()), Arrays.toString(wanted)));
            } else {
                tensors.put(name, tensor);
            }
        }

        expected.keySet().stream()
                .filter(name -> !tensors.containsKey(name))
                .forEach(name -> problems.add("none for " + name));
        if (!problems.isEmpty()) {
            throw new InvalidWeightsException("Cannot use %s: expected the %d tensors of a %s, found %s"
                    .formatted(file.path(), expected.size(), shape.architecture(), String.join("; ", problems)));
        }
    }

    private void writeTensors(Path target) {
        StoredType type = shape.storedType();
        List<TensorSpec> specs = tensors.entrySet().stream()
                .map(entry ->
                        new TensorSpec(entry.getKey(), type, entry.getValue().shape()))
                .toList();
        try (SafetensorsWriter writer = SafetensorsWriter.create(target, SafetensorsWriter.PYTORCH, specs)) {
            tensors.forEach((name, tensor) -> write(writer, name, floats(tensor)));
            writer.commit();
        }
    }

    private void write(SafetensorsWriter writer, String name, FloatSource source) {
        StoredType type = shape.storedType();
        float[] values = new float[PIECE];
        ByteBuffer bytes = ByteBuffer.allocate(PIECE * type.bytes());
        for (long from = 0; from < source.length(); from += PIECE) {
            int count = (int) Math.min(PIECE, source.length() - from);
            source.read(from, values, count);
            StoredNumbers.narrow(type, values, 0, count, bytes.clear());
            writer.write(name, from * type.bytes(), bytes.flip());
        }
    }

    private FloatSource floats(GgufTensor tensor) {
        boolean interleaved =
                shape.architecture().interleavesHeads() && tensor.name().matches(".*\\.attn_[qk]\\..*");
        if (!interleaved) {
            return tensor.asFloats();
        }

        long[] dimensions = tensor.shape();
        int inputs = dimensions.length == 1 ? 1 : Math.toIntExact(dimensions[1]);
        return new HeadRows(tensor.asFloats(), inputs, shape.headSize());
    }
}
