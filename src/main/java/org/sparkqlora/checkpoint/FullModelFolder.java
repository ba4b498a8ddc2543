package org.sparkqlora.checkpoint;

import java.io.DataOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.regex.Pattern;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;
import org.sparkqlora.input.BadInputException;
import org.sparkqlora.model.layout.Parameter;
import org.sparkqlora.model.layout.ParameterIndex;
import org.sparkqlora.quant.FloatSource;
import org.sparkqlora.storage.BlobWriter;
import org.sparkqlora.storage.FreshFolder;
import org.sparkqlora.tensor.FlatVector;
import org.sparkqlora.weights.ChangedWeights;
import org.sparkqlora.weights.CompanionFiles;
import org.sparkqlora.weights.WeightFolder;
import org.sparkqlora.weights.family.DecoderTensors;
import org.sparkqlora.weights.family.ExpertsTogether;
import org.sparkqlora.weights.family.ModelConfig;
import org.sparkqlora.weights.family.ModelConfigJson;
import org.sparkqlora.weights.safetensors.InvalidWeightsException;
import org.sparkqlora.weights.safetensors.SafetensorsLayout;
import org.sparkqlora.weights.safetensors.SafetensorsWriter;
import org.sparkqlora.weights.safetensors.ShardIndexJson;
import org.sparkqlora.weights.safetensors.StoredTensor;
import org.sparkqlora.weights.safetensors.TensorSpec;

/**
 * A whole model as transformers stores it: config, tokenizer and {@code model.safetensors}, or shards with their index. Each
 * weight keeps the name, shape, type and shard that it has in the model it came from; weights pass through one at a time.
 */
public final class FullModelFolder {
    static final String WEIGHTS_FILE = "model.safetensors";
    static final String INDEX_FILE = WEIGHTS_FILE + ".index.json";
    private static final Set<String> WHOLE = Set.of(DecoderTensors.EMBEDDING, DecoderTensors.HEAD);
    private static final Pattern PARTS =
            Pattern.compile("model(-\\d+-of-\\d+)?\\.safetensors|model\\.safetensors\\.index\\.json");
    private static final int PIECE = 1 << 20;

    private FullModelFolder() {}

    /** Writes {@code source} with the trained values of {@code parameters}, which are named as its weights are. */
    public static void write(
            FileSystem files, Path folder, WeightFolder source, ParameterIndex index, FlatVector parameters) {
        requireSame(folder, source, index);
        write(files, folder, source, new ChangedWeights() {
            @Override
            public boolean has(String name) {
                return index.has(name);
            }

            @Override
            public FloatSource floats(String name) {
                return new VectorRange(parameters, index.find(name));
            }
        });
    }

    /** Writes {@code source} with some weights changed; those in four bits must all be. */
    public static void write(FileSystem files, Path folder, WeightFolder source, ChangedWeights changed) {
        write(files, folder, source, changed, Map.of());
    }

    /**
     * Writes a folder with other files beside the weights than those of {@code source}.
     *
     * @param others by name; they replace the source's
     */
    public static void write(
            FileSystem files,
            Path folder,
            WeightFolder source,
            ChangedWeights changed,
            Map<String, BlobWriter> others) {
        SortedMap<String, List<TensorSpec>> shards = shards(folder, source, changed);
        Map<String, BlobWriter> companions = new LinkedHashMap<>();
        CompanionFiles.of(source.path())
                .forEach(file -> companions.put(file.getFileName().toString(), out -> Files.copy(file, out)));
        companions.putAll(others);
        String config = source.plainConfigText(changed.config(source.config()));
        try (FreshFolder fresh = FreshFolder.begin(files, folder, FullModelFolder::isPart)) {
            addWeights(fresh, shards, source, changed);
            for (Map.Entry<String, BlobWriter> companion : companions.entrySet()) {
                fresh.add(companion.getKey(), companion.getValue());
            }

            if (!companions.containsKey(ModelConfigJson.FILE_NAME)) {
                fresh.add(ModelConfigJson.FILE_NAME, out -> out.write(config.getBytes(StandardCharsets.UTF_8)));
            }

            fresh.commit();
        } catch (IOException e) {
            throw new UncheckedIOException("Failed to write model " + folder, e);
        }
    }

    /** The tensors of each file: those of {@code source}, and behind the embedding a head that it has not. */
    private static SortedMap<String, List<TensorSpec>> shards(
            Path folder, WeightFolder source, ChangedWeights changed) {
        ModelConfig config = changed.config(source.config());
        long[] matrix = {config.vocabularySize(), config.hiddenSize()};
        ExpertsTogether experts = new ExpertsTogether(config);
        Set<String> listed = new HashSet<>();
        SortedMap<String, List<TensorSpec>> shards = new TreeMap<>();
        for (String name : source.names()) {
            if (name.equals(DecoderTensors.HEAD) && changed.scoreHead().isPresent()) {
                continue;
            }

            if (!changed.has(name) && source.fourBit(name).isPresent()) {
                throw new BadInputException("Cannot write model %s: expected new values of 4-bit weight %s, found none"
                        .formatted(folder, name));
            }

            boolean resized = WHOLE.contains(name);
            TensorSpec written =
                    experts.written(new TensorSpec(name, source.typeOf(name), resized ? matrix : source.shapeOf(name)));
            if (!listed.add(written.name())) {
                continue; // of another expert of the layer
            }

            List<TensorSpec> shard = shards.computeIfAbsent(source.fileOf(name), file -> new ArrayList<>());
            shard.add(written);
            if (name.equals(DecoderTensors.EMBEDDING) && !config.tiedEmbeddings() && !source.has(DecoderTensors.HEAD)) {
                shard.add(new TensorSpec(DecoderTensors.HEAD, source.typeOf(name), matrix));
            }
        }

        changed.scoreHead()
                .ifPresent(shape -> Objects.requireNonNull(shards.get(shards.lastKey()))
                        .add(new TensorSpec(DecoderTensors.SCORE, source.typeOf(DecoderTensors.EMBEDDING), shape)));
        return shards;
    }

    private static void addWeights(
            FreshFolder fresh, SortedMap<String, List<TensorSpec>> shards, WeightFolder source, ChangedWeights changed)
            throws IOException {
        boolean single = shards.size() == 1;
        for (Map.Entry<String, List<TensorSpec>> shard : shards.entrySet()) {
            SafetensorsLayout layout = SafetensorsLayout.of(SafetensorsWriter.PYTORCH, shard.getValue());
            fresh.add(single ? WEIGHTS_FILE : shard.getKey(), out -> writeWeights(out, layout, source, changed));
        }

        if (!single) {
            byte[] index = ShardIndexJson.write(shards).getBytes(StandardCharsets.UTF_8);
            fresh.add(INDEX_FILE, out -> out.write(index));
        }
    }

    private static void writeWeights(
            DataOutputStream out, SafetensorsLayout layout, WeightFolder source, ChangedWeights changed)
            throws IOException {
        out.write(layout.prefix());
        ExpertsTogether experts = new ExpertsTogether(source.config());
        for (TensorSpec spec : layout.tensors()) {
            Optional<FloatSource> joined = experts.floats(
                    spec.name(),
                    name -> changed.has(name)
                            ? changed.floats(name)
                            : source.tensor(name).asFloats());
            if (joined.isPresent()) {
                SafetensorsStream.write(out, spec, joined.get());
            } else if (changed.has(spec.name())) {
                SafetensorsStream.write(out, spec, changed.floats(spec.name()));
            } else {
                copy(out, source.tensor(spec.name()));
            }
        }
    }

    private static void copy(DataOutputStream out, StoredTensor tensor) throws IOException {
        byte[] piece = new byte[PIECE];
        for (long from = 0; from < tensor.byteSize(); from += PIECE) {
            int count = (int) Math.min(PIECE, tensor.byteSize() - from);
            ByteBuffer stored = tensor.buffer(from, count);
            stored.get(piece, 0, count);
            out.write(piece, 0, count);
        }
    }

    /** Whether a file of that name belongs to a model as this class writes it. */
    public static boolean isPart(String name) {
        return name.equals(ModelConfigJson.FILE_NAME)
                || name.equals(PublishedFolder.COMMIT) // which tells of the files that go
                || CompanionFiles.isOne(name)
                || PARTS.matcher(name).matches();
    }

    private static void requireSame(Path folder, WeightFolder source, ParameterIndex index) {
        if (index.size() == 0) {
            throw new BadInputException(
                    "Cannot write model %s: expected trained tensors, found none".formatted(folder));
        }

        for (Parameter parameter : index.all()) {
            if (!source.has(parameter.name())) {
                throw new InvalidWeightsException(
                        "Cannot write model %s: expected a weight for trained tensor %s in %s, found none"
                                .formatted(folder, parameter.name(), source.path()));
            }

            long[] shape = source.shapeOf(parameter.name());
            if (!Arrays.equals(shape, parameter.shape())) {
                throw new InvalidWeightsException("Cannot write model %s: expected shape %s of %s as in %s, found %s"
                        .formatted(
                                folder,
                                Arrays.toString(shape),
                                parameter.name(),
                                source.path(),
                                Arrays.toString(parameter.shape())));
            }
        }
    }
}
