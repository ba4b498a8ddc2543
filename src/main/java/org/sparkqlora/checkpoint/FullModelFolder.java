package org.sparkqlora.checkpoint;

import java.io.DataOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;
import org.sparkqlora.model.Parameter;
import org.sparkqlora.model.ParameterIndex;
import org.sparkqlora.quant.FloatSource;
import org.sparkqlora.tensor.FlatVector;
import org.sparkqlora.weights.ChangedWeights;
import org.sparkqlora.weights.CompanionFiles;
import org.sparkqlora.weights.InvalidWeightsException;
import org.sparkqlora.weights.SafetensorsLayout;
import org.sparkqlora.weights.SafetensorsWriter;
import org.sparkqlora.weights.ShardIndexJson;
import org.sparkqlora.weights.StoredTensor;
import org.sparkqlora.weights.TensorSpec;
import org.sparkqlora.weights.WeightFolder;

/**
 * A whole model as transformers stores it: config, tokenizer and {@code model.safetensors}, or shards with their index. Each
 * weight keeps the name, shape, type and shard that it has in the model it came from; weights pass through one at a time.
 */
public final class FullModelFolder {
    static final String WEIGHTS_FILE = "model.safetensors";
    static final String INDEX_FILE = WEIGHTS_FILE + ".index.json";
    static final String CONFIG_FILE = "config.json";
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
        SortedMap<String, List<TensorSpec>> shards = new TreeMap<>();
        for (String name : source.names()) {
            if (!changed.has(name) && source.fourBit(name).isPresent()) {
                throw new IllegalArgumentException(
                        "Cannot write model %s: expected new values of 4-bit weight %s, found none"
                                .formatted(folder, name));
            }

            shards.computeIfAbsent(source.fileOf(name), file -> new ArrayList<>())
                    .add(new TensorSpec(name, source.typeOf(name), source.shapeOf(name)));
        }

        try (FreshFolder fresh = new FreshFolder(files, folder)) {
            addWeights(fresh, shards, source, changed);
            for (java.nio.file.Path companion : CompanionFiles.of(source.path())) {
                fresh.add(companion.getFileName().toString(), out -> Files.copy(companion, out));
            }

            fresh.add(CONFIG_FILE, out -> out.write(source.plainConfigText().getBytes(StandardCharsets.UTF_8)));
            fresh.commit();
        } catch (IOException e) {
            throw new UncheckedIOException("Failed to write model " + folder, e);
        }
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
        for (TensorSpec spec : layout.tensors()) {
            if (changed.has(spec.name())) {
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

    private static void requireSame(Path folder, WeightFolder source, ParameterIndex index) {
        if (index.size() == 0) {
            throw new IllegalArgumentException(
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
