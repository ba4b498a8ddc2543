package org.sparkqlora.weights.safetensors;

import java.nio.file.Path;
import java.util.Collections;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;
import java.util.regex.Pattern;
import org.sparkqlora.storage.FolderFiles;

/** All tensors of a folder, from one safetensors file or from the shards that an index lists. */
public final class StoredTensors implements TensorSource {
    public static final String SINGLE_FILE = "model.safetensors";
    static final String INDEX_FILE = SINGLE_FILE + ".index.json";
    private static final Pattern PICKLE = Pattern.compile(".*\\.(bin|pt|pth|ckpt|pkl)(\\.index\\.json)?");

    private final Path folder;
    private final List<SafetensorsFile> files;
    private final Map<String, SafetensorsFile> fileOf;
    private final Map<String, String> storedNames;
    private final Map<String, StoredTensor> parts;

    private StoredTensors(Path folder, List<SafetensorsFile> files, Map<String, SafetensorsFile> fileOf) {
        this(folder, files, fileOf, Map.of(), Map.of());
    }

    /**
     * @param storedNames those in the files of tensors that are called otherwise here
     * @param parts tensors that are parts of others
     */
    private StoredTensors(
            Path folder,
            List<SafetensorsFile> files,
            Map<String, SafetensorsFile> fileOf,
            Map<String, String> storedNames,
            Map<String, StoredTensor> parts) {
        this.folder = folder;
        this.files = List.copyOf(files);
        this.fileOf = Collections.unmodifiableMap(fileOf);
        this.storedNames = Map.copyOf(storedNames);
        this.parts = Map.copyOf(parts);
    }

    /** These tensors, of which those that {@code dividing} finds parts of, or finds to be nothing by themselves, are replaced by them. */
    public StoredTensors divided(Function<StoredTensor, Optional<List<StoredTensor>>> dividing) {
        Map<String, SafetensorsFile> divided = new LinkedHashMap<>();
        Map<String, StoredTensor> found = new HashMap<>();
        fileOf.forEach((name, file) -> dividing.apply(tensor(name))
                .ifPresentOrElse(
                        own -> own.forEach(part -> {
                            divided.put(part.name(), file);
                            found.put(part.name(), part);
                        }),
                        () -> {
                            divided.put(name, file);
                            Optional.ofNullable(parts.get(name)).ifPresent(part -> found.put(name, part));
                        }));
        return new StoredTensors(folder, files, divided, storedNames, found);
    }

    /** The tensors that have a name by {@code naming}, under that name. */
    public StoredTensors renamed(Function<String, Optional<String>> naming) {
        Map<String, SafetensorsFile> renamed = new LinkedHashMap<>();
        Map<String, String> stored = new HashMap<>();
        fileOf.forEach((name, file) -> naming.apply(name).ifPresent(other -> {
            renamed.put(other, file);
            stored.put(other, name);
        }));
        return new StoredTensors(folder, files, renamed, stored, Map.of());
    }

    /** Opens what the folder has; one file wins over an index, as in transformers. */
    public static StoredTensors open(Path folder) {
        return open(new WeightFiles.Here(folder));
    }

    /** What is told of {@code files}, whose tensors cannot be mapped; {@code folder} holds the index of shards, if there is one. */
    public static StoredTensors headers(Path folder, FolderFiles files) {
        return open(WeightFiles.Elsewhere.list(folder, files));
    }

    private static StoredTensors open(WeightFiles files) {
        if (files.has(SINGLE_FILE)) {
            return single(files);
        }

        if (files.has(INDEX_FILE)) {
            return sharded(files);
        }

        throw withoutWeights(files);
    }

    @Override
    public boolean has(String name) {
        return fileOf.containsKey(name);
    }

    @Override
    public StoredTensor tensor(String name) {
        SafetensorsFile file = fileOf.get(name);
        if (file == null) {
            throw new InvalidWeightsException("Cannot read tensor %s of %s: the model has no such tensor among its %d"
                    .formatted(name, folder, fileOf.size()));
        }

        StoredTensor part = parts.get(name);
        if (part != null) {
            return part;
        }

        String stored = storedNames.get(name);
        return stored == null ? file.tensor(name) : file.tensor(stored).named(name);
    }

    public Set<String> names() {
        return fileOf.keySet();
    }

    public List<SafetensorsFile> files() {
        return files;
    }

    private static StoredTensors single(WeightFiles files) {
        SafetensorsFile file = files.open(SINGLE_FILE);
        Map<String, SafetensorsFile> fileOf = new LinkedHashMap<>();
        file.names().forEach(name -> fileOf.put(name, file));
        return new StoredTensors(files.folder(), List.of(file), fileOf);
    }

    private static StoredTensors sharded(WeightFiles weights) {
        Path index = weights.folder().resolve(INDEX_FILE);
        Map<String, SafetensorsFile> shards = new HashMap<>();
        Map<String, SafetensorsFile> fileOf = new LinkedHashMap<>();
        ShardIndexJson.read(index).forEach((name, shard) -> {
            SafetensorsFile file = shards.computeIfAbsent(shard, s -> openShard(index, weights, s));
            if (!file.has(name)) {
                throw new InvalidWeightsException("Cannot read tensor %s: %s places it in %s, which does not have it"
                        .formatted(name, index, shard));
            }

            fileOf.put(name, file);
        });
        List<SafetensorsFile> files =
                shards.keySet().stream().sorted().map(shards::get).toList();
        return new StoredTensors(weights.folder(), files, fileOf);
    }

    private static SafetensorsFile openShard(Path index, WeightFiles files, String shard) {
        if (!files.has(shard)) {
            throw new InvalidWeightsException(
                    "Cannot read %s: it lists %s, which does not exist. Is the download complete?"
                            .formatted(index, shard));
        }

        return files.open(shard);
    }

    private static InvalidWeightsException withoutWeights(WeightFiles files) {
        Path folder = files.folder();
        List<String> found = files.names();
        String expected = "expected %s or %s".formatted(SINGLE_FILE, INDEX_FILE);
        return found.stream()
                .filter(name -> PICKLE.matcher(name).matches())
                .findFirst()
                .map(pickle -> new InvalidWeightsException(
                        "Unsupported weights in %s: %s, found only the pickle %s, which can run code when it is read. Convert it once with transformers: AutoModelForCausalLM.from_pretrained(dir).save_pretrained(dir, safe_serialization=True)"
                                .formatted(folder, expected, pickle)))
                .orElseGet(() -> new InvalidWeightsException(
                        "Cannot open model folder %s: %s, found %s".formatted(folder, expected, found)));
    }
}
