package org.sparkqlora.weights;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.sparkqlora.quant.FourBitTensor;
import org.sparkqlora.quant.Workers;
import org.sparkqlora.storage.FolderFiles;
import org.sparkqlora.weights.family.DecoderTensors;
import org.sparkqlora.weights.family.FusedExperts;
import org.sparkqlora.weights.family.ModelConfig;
import org.sparkqlora.weights.family.ModelConfigJson;
import org.sparkqlora.weights.family.TextModelNames;
import org.sparkqlora.weights.safetensors.InvalidWeightsException;
import org.sparkqlora.weights.safetensors.SafetensorsFile;
import org.sparkqlora.weights.safetensors.StoredTensor;
import org.sparkqlora.weights.safetensors.StoredTensors;
import org.sparkqlora.weights.safetensors.StoredType;
import org.sparkqlora.weights.safetensors.TensorSource;

/**
 * A Hugging Face model folder, or the text model in one that sees images: config and tensors, as stored or in bitsandbytes' four bits. Names are those of the model's
 * weights; what lies beside a 4-bit weight (scales, state) has no name here.
 */
public final class WeightFolder implements TensorSource, AutoCloseable {
    private final Path path;
    private final ModelConfig config;
    private final StoredTensors stored;
    private final Map<String, BnbQuantState> states;
    private final Set<String> names;
    private volatile boolean closed;

    private WeightFolder(Path path, ModelConfig config, StoredTensors stored) {
        this.path = path;
        this.config = config;
        this.stored = stored;
        this.states = states(stored);
        this.names = names(stored, states);
    }

    /** Opens a folder with one safetensors file or with shards. */
    public static WeightFolder open(Path folder) {
        if (!Files.isDirectory(folder)) {
            throw new InvalidWeightsException("Cannot open model folder %s: expected a folder, found %s"
                    .formatted(folder, Files.exists(folder) ? "a file" : "nothing"));
        }

        return open(folder, StoredTensors.open(folder));
    }

    /**
     * A folder whose small files are in {@code folder}, and whose weights, not in four bits, lie elsewhere: their places are all that is
     * known of them.
     */
    public static WeightFolder headers(Path folder, FolderFiles weights) {
        StoredTensors stored = StoredTensors.headers(folder, weights);
        if (stored.names().stream().anyMatch(BnbTensor::isCompanion)) {
            throw new InvalidWeightsException(
                    "Cannot quantise %s: expected weights as they were trained, found 4-bit weights"
                            .formatted(weights.address("")));
        }

        return open(folder, stored);
    }

    private static WeightFolder open(Path folder, StoredTensors stored) {
        ModelConfig config = ModelConfigJson.read(folder.resolve(ModelConfigJson.FILE_NAME));
        return new WeightFolder(folder, config, FusedExperts.apart(Float8Weights.joined(textModel(stored)), config));
    }

    /** Of a model that sees images, what its text model is made of. */
    private static StoredTensors textModel(StoredTensors stored) {
        return TextModelNames.isInside(stored.names()) ? stored.renamed(TextModelNames::ofWeight) : stored;
    }

    public Path path() {
        return path;
    }

    public ModelConfig config() {
        return config;
    }

    /** Names of the model's weights, in the order of the files. */
    public Set<String> names() {
        return names;
    }

    @Override
    public boolean has(String name) {
        return names.contains(name);
    }

    /** The weight as stored: of a 4-bit weight its packed codes. */
    @Override
    public StoredTensor tensor(String name) {
        requireOpen();
        return stored.tensor(name);
    }

    /** The weight in four bits, or nothing when it is stored as it is. */
    public Optional<FourBitTensor> fourBit(String name) {
        requireOpen();
        return Optional.ofNullable(states.get(name)).map(state -> BnbTensor.read(stored, name, state));
    }

    /** Shape of the weight, whichever way it is stored. */
    public long[] shapeOf(String name) {
        BnbQuantState state = states.get(name);
        return state == null ? tensor(name).shape() : state.shape();
    }

    /** Element type of the weight before it was brought to four bits, if it was. */
    public StoredType typeOf(String name) {
        BnbQuantState state = states.get(name);
        return state == null ? tensor(name).type() : StoredType.ofTorchName(state.originalType());
    }

    /** Name of the file in the folder that holds the weight. */
    public String fileOf(String name) {
        return String.valueOf(tensor(name).file().getFileName());
    }

    /** Whether any weight is stored in four bits. */
    public boolean quantized() {
        return !states.isEmpty();
    }

    /** Throws one error that lists every weight that is missing or of another shape than the config says. */
    public void checkShapes() {
        ShapeCheck.check(this);
    }

    /** Throws an error if the files hold a head of the model's own where its config says that the embedding is one. */
    public void checkHead() {
        TiedHead.check(this);
    }

    /** Throws an error that names the first weight with a NaN or an infinity, and its place. */
    public void checkFinite(Workers workers) {
        new FiniteCheck(this, workers).run();
    }

    /** Ends the use of this folder. Buffers that were handed out stay valid as long as they are reachable. */
    @Override
    public void close() {
        closed = true;
    }

    /**
     * The text of {@code config.json} for weights that are not quantised, in the way of Hugging Face.
     *
     * @param changed this model's config, but for the number of tokens and whether the head is the embedding
     */
    public String plainConfigText(ModelConfig changed) {
        Path file = path.resolve(ModelConfigJson.FILE_NAME);
        try {
            return QuantizedConfigJson.writePlain(file.toString(), Files.readString(file), config, changed);
        } catch (IOException e) {
            throw new UncheckedIOException("Failed to read " + file, e);
        }
    }

    /** Bytes of the weight in its file, with all that lies beside it. */
    long storedBytes(String name) {
        return stored.names().stream()
                .filter(other -> other.equals(name) || other.startsWith(name + "."))
                .mapToLong(other -> stored.tensor(other).byteSize())
                .sum();
    }

    List<SafetensorsFile> files() {
        return stored.files();
    }

    private void requireOpen() {
        if (closed) {
            throw new IllegalStateException("Cannot read weights of %s: the folder was closed".formatted(path));
        }
    }

    private static Map<String, BnbQuantState> states(StoredTensors stored) {
        Map<String, BnbQuantState> states = new LinkedHashMap<>();
        for (String name : stored.names()) {
            BnbTensor.state(stored, name).ifPresent(state -> states.put(name, state));
        }

        return states;
    }

    private static Set<String> names(StoredTensors stored, Map<String, BnbQuantState> states) {
        Set<String> names = new LinkedHashSet<>(stored.names());
        if (!states.isEmpty()) {
            names.removeIf(BnbTensor::isCompanion);
        }

        return Collections.unmodifiableSet(names);
    }

    /** Compares the weights of a folder with its config. */
    private static final class ShapeCheck {
        private static final int MOST_LISTED = 12;

        private ShapeCheck() {}

        static void check(WeightFolder folder) {
            List<String> problems = new ArrayList<>();
            DecoderTensors.of(folder.config()).shapes().forEach((name, expected) -> {
                if (!folder.has(name)) {
                    problems.add("%s: expected shape %s, found nothing".formatted(name, Arrays.toString(expected)));
                } else if (!Arrays.equals(folder.shapeOf(name), expected)) {
                    problems.add("%s: expected shape %s, found %s in %s"
                            .formatted(
                                    name,
                                    Arrays.toString(expected),
                                    Arrays.toString(folder.shapeOf(name)),
                                    folder.tensor(name).file().getFileName()));
                }
            });
            if (!problems.isEmpty()) {
                throw new InvalidWeightsException(
                        "Cannot use %s as a %s model: %d weights do not fit its config.json. Are both from the same model?\n  %s"
                                .formatted(
                                        folder.path(), folder.config().modelType(), problems.size(), listed(problems)));
            }
        }

        private static String listed(List<String> problems) {
            String shown = String.join("\n  ", problems.subList(0, Math.min(MOST_LISTED, problems.size())));
            return problems.size() <= MOST_LISTED
                    ? shown
                    : shown + String.format(Locale.ROOT, "\n  and %d more", problems.size() - MOST_LISTED);
        }
    }
}
