package org.sparkqlora.weights.gguf;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.sparkqlora.quant.FloatSource;
import org.sparkqlora.storage.NewFolder;
import org.sparkqlora.weights.FolderCache;
import org.sparkqlora.weights.SourceFingerprint;
import org.sparkqlora.weights.family.DecoderTensors;
import org.sparkqlora.weights.family.ModelConfigJson;
import org.sparkqlora.weights.safetensors.SafetensorsWriter;
import org.sparkqlora.weights.safetensors.StoredNumbers;
import org.sparkqlora.weights.safetensors.StoredType;
import org.sparkqlora.weights.safetensors.TensorSpec;

/** A Hugging Face folder made from a GGUF file: config, weights in 16 or 32 bits, tokenizer and chat template. */
public final class GgufFolder {
    static final String SUFFIX = ".gguf";
    private static final String LAYOUT = "gguf 3";
    private static final int PIECE = 1 << 18;

    private final GgufModel model;
    private final StoredType type;

    private GgufFolder(GgufModel model) {
        this.model = model;
        this.type = model.shape().storedType();
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
        GgufFolder source = new GgufFolder(GgufModel.open(gguf));
        try (NewFolder folder = NewFolder.begin(target)) {
            source.fill(folder.path());
            folder.commit();
        } catch (IOException e) {
            throw new UncheckedIOException("Failed to write " + target, e);
        }
    }

    private void fill(Path folder) throws IOException {
        GgufTokenizerJson tokenizer = new GgufTokenizerJson(model.vocabulary());
        Files.writeString(folder.resolve(ModelConfigJson.FILE_NAME), model.configText());
        Files.writeString(folder.resolve("tokenizer.json"), tokenizer.tokenizer());
        Files.writeString(
                folder.resolve("tokenizer_config.json"),
                tokenizer.config(model.config().maxPositions()));
        writeTensors(folder.resolve("model.safetensors"));
    }

    private void writeTensors(Path target) {
        Map<String, long[]> shapes = DecoderTensors.of(model.config()).shapes();
        List<TensorSpec> specs = model.tensors().keySet().stream()
                .map(name -> new TensorSpec(name, type, Objects.requireNonNull(shapes.get(name), name)))
                .toList();
        try (SafetensorsWriter writer = SafetensorsWriter.create(target, SafetensorsWriter.PYTORCH, specs)) {
            model.tensors().forEach((name, tensor) -> write(writer, name, model.floats(tensor)));
            writer.commit();
        }
    }

    private void write(SafetensorsWriter writer, String name, FloatSource source) {
        float[] values = new float[PIECE];
        ByteBuffer bytes = ByteBuffer.allocate(PIECE * type.bytes());
        for (long from = 0; from < source.length(); from += PIECE) {
            int count = (int) Math.min(PIECE, source.length() - from);
            source.read(from, values, count);
            StoredNumbers.narrow(type, values, 0, count, bytes.clear());
            writer.write(name, from * type.bytes(), bytes.flip());
        }
    }
}
