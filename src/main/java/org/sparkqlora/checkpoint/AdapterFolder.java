package org.sparkqlora.checkpoint;

import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;
import org.sparkqlora.data.Labels;
import org.sparkqlora.input.BadInputException;
import org.sparkqlora.input.BoundedText;
import org.sparkqlora.input.InputLimits;
import org.sparkqlora.model.layout.LoraSpec;
import org.sparkqlora.model.layout.Parameter;
import org.sparkqlora.model.layout.ParameterIndex;
import org.sparkqlora.model.layout.SavedModules;
import org.sparkqlora.model.layout.TargetModules;
import org.sparkqlora.storage.BlobWriter;
import org.sparkqlora.storage.FreshFolder;
import org.sparkqlora.storage.StoredFile;
import org.sparkqlora.tensor.FlatVector;
import org.sparkqlora.weights.CompanionFiles;
import org.sparkqlora.weights.family.ModelConfigJson;
import org.sparkqlora.weights.safetensors.InvalidWeightsException;
import org.sparkqlora.weights.safetensors.SafetensorsLayout;
import org.sparkqlora.weights.safetensors.SafetensorsWriter;
import org.sparkqlora.weights.safetensors.StoredType;
import org.sparkqlora.weights.safetensors.TensorSpec;

/** An adapter as PEFT stores it: {@code adapter_config.json} and {@code adapter_model.safetensors} in float32. */
public final class AdapterFolder {
    static final String CONFIG_FILE = "adapter_config.json";
    static final String WEIGHTS_FILE = "adapter_model.safetensors";
    private static final String PICKLE = "adapter_model.bin";

    /** The files of every adapter. */
    public static final List<String> FILES = List.of(CONFIG_FILE, WEIGHTS_FILE);

    private AdapterFolder() {}

    /** Writes an adapter without further files. */
    public static void write(
            FileSystem files, Path folder, AdapterConfig config, ParameterIndex index, FlatVector parameters) {
        write(files, folder, config, index, parameters, Map.of());
    }

    /**
     * Writes an adapter; one that is there is replaced when the new one was read back.
     *
     * @param others files that go beside it, by name: a tokenizer, where it is not the base's
     */
    public static void write(
            FileSystem files,
            Path folder,
            AdapterConfig config,
            ParameterIndex index,
            FlatVector parameters,
            Map<String, BlobWriter> others) {
        requireTrained(folder, index, parameters);
        try (FreshFolder fresh = FreshFolder.begin(files, folder, AdapterFolder::isPart)) {
            writeWeights(fresh, index, parameters);
            String text = AdapterConfigJson.write(named(config, index));
            fresh.add(CONFIG_FILE, out -> out.write(text.getBytes(StandardCharsets.UTF_8)));
            for (Map.Entry<String, BlobWriter> other : others.entrySet()) {
                fresh.add(other.getKey(), other.getValue());
            }

            fresh.commit();
        } catch (IOException e) {
            throw new UncheckedIOException("Failed to write adapter " + folder, e);
        }
    }

    /** The config of the adapter in {@code folder}. */
    public static AdapterConfig readConfig(FileSystem files, Path folder) {
        try {
            Path file = new Path(FreshFolder.current(files, folder), CONFIG_FILE);
            if (!files.exists(file)) {
                throw new InvalidWeightsException(
                        "Cannot load adapter %s: expected %s in it, found none".formatted(folder, CONFIG_FILE));
            }

            try (InputStream in = files.open(file)) {
                return withStored(
                        AdapterConfigJson.parse(
                                file.toString(), BoundedText.read(in, InputLimits.DEFAULT.configBytes(), file)),
                        files,
                        new Path(file.getParent(), WEIGHTS_FILE));
            }
        } catch (IOException e) {
            throw new UncheckedIOException("Failed to read adapter " + folder, e);
        }
    }

    /** SHA-256 of the file that holds the adapter's tensors, in hex digits. */
    public static String hash(FileSystem files, Path folder) {
        try {
            Path file = new Path(FreshFolder.current(files, folder), WEIGHTS_FILE);
            requireWeights(files, folder, file);
            return StoredFile.hash(files, file);
        } catch (IOException e) {
            throw new UncheckedIOException("Failed to read adapter " + folder, e);
        }
    }

    /** Throws an error if the adapter's tensors are not those of {@code hash}. */
    public static void requireHash(FileSystem files, Path folder, String hash) {
        String found = hash(files, folder);
        if (!found.equals(hash)) {
            throw new InvalidWeightsException(
                    "Cannot use adapter %s: expected the one that this run took out of its base when it began, of SHA-256 %s, found %s. Begin anew in another --output"
                            .formatted(folder, hash, found));
        }
    }

    /** PEFT stores embedding and head of a model of another size whether they are modules to save or not, and their size only there. */
    private static AdapterConfig withStored(AdapterConfig config, FileSystem files, Path weights) throws IOException {
        if (!files.exists(weights)) {
            return config;
        }

        try (InputStream in = new BufferedInputStream(files.open(weights))) {
            SafetensorsLayout stored = SafetensorsLayout.read(
                    weights.toString(), in, files.getFileStatus(weights).getLen());
            SafetensorsLayout layout = AdapterKeys.ofTextModel(stored);
            LoraSpec lora =
                    config.lora().withTargets(AdapterKeys.targets(config.lora().targets(), stored));
            return new AdapterConfig(lora.withSaved(AdapterKeys.saved(lora.saved(), layout)), config.baseModel());
        }
    }

    /** The adapter's tensors in the order of {@code index}, which must be exactly those of the file. */
    public static FlatVector read(FileSystem files, Path folder, ParameterIndex index) {
        try {
            Path file = new Path(FreshFolder.current(files, folder), WEIGHTS_FILE);
            requireWeights(files, folder, file);
            long size = files.getFileStatus(file).getLen();
            try (InputStream in = new BufferedInputStream(files.open(file), 1 << 16)) {
                SafetensorsLayout layout = AdapterKeys.ofTextModel(SafetensorsLayout.read(file.toString(), in, size));
                AdapterKeys.requireSame(folder, index, layout);
                return readTensors(in, layout, index);
            }
        } catch (IOException e) {
            throw new UncheckedIOException("Failed to read adapter " + folder, e);
        }
    }

    private static FlatVector readTensors(InputStream in, SafetensorsLayout layout, ParameterIndex index)
            throws IOException {
        FlatVector vector = FlatVector.zeros(index.size());
        Set<String> seen = new HashSet<>();
        for (TensorSpec spec : layout.tensors()) {
            if (AdapterKeys.isCopy(spec.name(), layout)) {
                SafetensorsStream.read(in, spec, (from, values, count) -> {});
                continue;
            }

            Parameter parameter = index.find(spec.name());
            long offset = parameter.offset();
            SafetensorsStream.Target target = seen.add(parameter.name())
                    ? (from, values, count) -> vector.write(offset + from, values, 0, count)
                    : (from, values, count) -> requireEqual(spec, vector, offset + from, values, count);
            SafetensorsStream.read(in, spec, target);
        }

        return vector;
    }

    /** A tied matrix is stored under both its names. */
    private static void requireEqual(TensorSpec spec, FlatVector vector, long from, float[] values, int count) {
        float[] first = new float[count];
        vector.read(from, first, 0, count);
        if (!Arrays.equals(first, 0, count, values, 0, count)) {
            throw new InvalidWeightsException(
                    "Cannot load tensor %s: expected the same numbers as the tensor that it is tied to has, found others"
                            .formatted(spec.name()));
        }
    }

    private static void writeWeights(FreshFolder fresh, ParameterIndex index, FlatVector parameters)
            throws IOException {
        List<TensorSpec> specs = AdapterKeys.of(index).entrySet().stream()
                .map(key -> new TensorSpec(
                        key.getKey(), StoredType.F32, key.getValue().shape()))
                .toList();
        SafetensorsLayout layout = SafetensorsLayout.of(SafetensorsWriter.PYTORCH, specs);
        fresh.add(WEIGHTS_FILE, out -> {
            out.write(layout.prefix());
            for (TensorSpec spec : layout.tensors()) {
                Parameter parameter = index.find(spec.name());
                SafetensorsStream.write(out, spec, new VectorRange(parameters, parameter));
            }
        });
    }

    /** The labels of the texts that an adapter's head scores; empty where it scores answers. */
    public static Optional<Labels> readLabels(FileSystem files, Path folder) {
        try {
            Path file = new Path(FreshFolder.current(files, folder), ModelConfigJson.FILE_NAME);
            if (!files.exists(file)) {
                return Optional.empty();
            }

            try (InputStream in = files.open(file)) {
                return ScoreConfigJson.read(
                        file.toString(), BoundedText.read(in, InputLimits.DEFAULT.configBytes(), file));
            }
        } catch (IOException e) {
            throw new UncheckedIOException("Failed to read adapter " + folder, e);
        }
    }

    /** Names in place of "all-linear", which not every reader of PEFT's format resolves, and both names of a tied matrix. */
    private static AdapterConfig named(AdapterConfig config, ParameterIndex index) {
        LoraSpec lora = config.lora().withSaved(SavedModules.of(index));
        TargetModules names = new TargetModules.Names(AdapterKeys.modules(index));
        if (lora.targets() instanceof TargetModules.AllLinear) {
            return new AdapterConfig(lora.withTargets(names), config.baseModel());
        }

        if (lora.targets() instanceof TargetModules.Narrowed narrowed
                && narrowed.chosen() instanceof TargetModules.AllLinear) {
            TargetModules renamed = new TargetModules.Narrowed(names, narrowed.excluded(), narrowed.layers());
            return new AdapterConfig(lora.withTargets(renamed), config.baseModel());
        }

        return new AdapterConfig(lora, config.baseModel());
    }

    /** Whether a file of that name belongs to an adapter. */
    public static boolean isPart(String name) {
        return FILES.contains(name) || name.equals(ModelConfigJson.FILE_NAME) || CompanionFiles.isOne(name);
    }

    private static void requireTrained(Path folder, ParameterIndex index, FlatVector parameters) {
        if (index.size() == 0) {
            throw new BadInputException(
                    "Cannot write adapter %s: expected trained tensors, found none".formatted(folder));
        }

        if (parameters.length() != index.size()) {
            throw new BadInputException("Cannot write adapter %s: expected %d numbers, found %d"
                    .formatted(folder, index.size(), parameters.length()));
        }
    }

    private static void requireWeights(FileSystem files, Path folder, Path file) throws IOException {
        if (files.exists(file)) {
            return;
        }

        String found = files.exists(new Path(file.getParent(), PICKLE))
                ? "only the pickle %s, which can run code when it is read. Convert it once with PEFT: save_pretrained(dir, safe_serialization=True)"
                        .formatted(PICKLE)
                : "none";
        throw new InvalidWeightsException(
                "Cannot load adapter %s: expected %s in it, found %s".formatted(folder, WEIGHTS_FILE, found));
    }
}
