package org.sparkqlora.weights;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.sparkqlora.input.BadInputException;
import org.sparkqlora.quant.BlockScales;
import org.sparkqlora.quant.EightBitCodec;
import org.sparkqlora.quant.FourBitCode;
import org.sparkqlora.quant.FourBitQuantizer;
import org.sparkqlora.quant.FourBitTensor;
import org.sparkqlora.quant.NestedScales;
import org.sparkqlora.quant.PlainScales;
import org.sparkqlora.quant.QuantSpec;
import org.sparkqlora.quant.Workers;
import org.sparkqlora.storage.NewFolder;
import org.sparkqlora.weights.family.DecoderTensors;
import org.sparkqlora.weights.safetensors.InvalidWeightsException;
import org.sparkqlora.weights.safetensors.SafetensorsWriter;
import org.sparkqlora.weights.safetensors.StoredTensor;
import org.sparkqlora.weights.safetensors.StoredTensors;
import org.sparkqlora.weights.safetensors.StoredType;
import org.sparkqlora.weights.safetensors.TensorSpec;

/**
 * Writes a model with its projections in four bits, in bitsandbytes' layout, so that transformers loads it too. Weights are
 * read, quantised and written one at a time; embeddings, head, norms and biases are copied as stored.
 */
public final class FourBitFolder {
    /** More than the longest state: 39 bytes of numbers beside its fixed words. */
    private static final int LONGEST_STATE = 256;

    private final WeightFolder source;
    private final QuantSpec spec;
    private final FourBitQuantizer quantizer;
    private final ChangedWeights changed;
    private final Set<String> projections;

    private FourBitFolder(WeightFolder source, QuantSpec spec, Workers workers, ChangedWeights changed) {
        this.source = source;
        this.changed = changed;
        this.spec = spec;
        this.quantizer = new FourBitQuantizer(spec, workers);
        this.projections = new HashSet<>(DecoderTensors.of(source.config()).projections());
    }

    /** Writes {@code source} in four bits and compares the two. */
    public static QuantizationReport writeAndCompare(
            WeightFolder source, QuantSpec spec, Workers workers, Path target) {
        source.checkFinite(workers);
        write(source, spec, workers, target);
        try (WeightFolder written = WeightFolder.open(target)) {
            return QuantizationReport.of(source, written, workers);
        }
    }

    /** Writes {@code source} in four bits to the folder {@code target}, which must not exist and appears whole or not at all. */
    public static void write(WeightFolder source, QuantSpec spec, Workers workers, Path target) {
        write(source, spec, workers, ChangedWeights.NONE, target);
    }

    /** This folder with other values of some projections, which are quantised as they are read, from float32. */
    static void write(WeightFolder source, QuantSpec spec, Workers workers, ChangedWeights changed, Path target) {
        if (source.quantized()) {
            throw new BadInputException("Cannot quantise %s: expected weights as they were trained, found 4-bit weights"
                    .formatted(source.path()));
        }

        source.checkShapes();
        try (NewFolder folder = NewFolder.begin(target)) {
            new FourBitFolder(source, spec, workers, changed).fill(folder.path());
            folder.commit();
        }
    }

    private void fill(Path folder) {
        writeTensors(folder.resolve(StoredTensors.SINGLE_FILE));
        Path config = source.path().resolve(WeightFolder.CONFIG_FILE);
        try {
            Files.writeString(
                    folder.resolve(WeightFolder.CONFIG_FILE),
                    QuantizedConfigJson.write(config.toString(), Files.readString(config), spec));
            for (Path file : CompanionFiles.of(source.path())) {
                Files.copy(file, folder.resolve(file.getFileName()));
            }
        } catch (IOException e) {
            throw new UncheckedIOException("Failed to write " + folder, e);
        }
    }

    private void writeTensors(Path file) {
        List<TensorSpec> specs = new ArrayList<>();
        List<String> states = new ArrayList<>();
        for (String name : source.names()) {
            if (projections.contains(name)) {
                specs.addAll(specsOf(name));
                states.add(BnbTensor.stateName(name, spec.code()));
            } else {
                specs.add(source.tensor(name).spec());
            }
        }

        try (SafetensorsWriter writer =
                SafetensorsWriter.create(file, SafetensorsWriter.PYTORCH, specs, states, LONGEST_STATE)) {
            for (String name : source.names()) {
                write(writer, source.tensor(name));
            }

            writer.commit();
        }
    }

    private List<TensorSpec> specsOf(String name) {
        long elements = source.tensor(name).elements();
        long blocks = (elements + spec.blockSize() - 1) / spec.blockSize();
        List<TensorSpec> specs = new ArrayList<>();
        specs.add(TensorSpec.of(name, StoredType.U8, (elements + 1) / 2, 1));
        specs.add(TensorSpec.of(name + BnbTensor.QUANT_MAP, StoredType.F32, FourBitCode.LEVELS));
        if (!spec.doubleQuant()) {
            specs.add(TensorSpec.of(name + BnbTensor.ABSMAX, StoredType.F32, blocks));
            return specs;
        }

        specs.add(TensorSpec.of(name + BnbTensor.ABSMAX, StoredType.U8, blocks));
        specs.add(TensorSpec.of(
                name + BnbTensor.NESTED_ABSMAX,
                StoredType.F32,
                (blocks + NestedScales.BLOCK_SIZE - 1) / NestedScales.BLOCK_SIZE));
        specs.add(TensorSpec.of(name + BnbTensor.NESTED_QUANT_MAP, StoredType.F32, EightBitCodec.LEVELS));
        return specs;
    }

    private void write(SafetensorsWriter writer, StoredTensor tensor) {
        if (projections.contains(tensor.name())) {
            writeQuantized(writer, tensor, quantized(tensor));
        } else {
            writer.copy(tensor);
        }
    }

    private FourBitTensor quantized(StoredTensor tensor) {
        try {
            String name = tensor.name();
            return quantizer.quantize(changed.has(name) ? changed.floats(name) : tensor.asFloats());
        } catch (BadInputException e) {
            throw new InvalidWeightsException(
                    "Cannot quantise weight %s of %s: %s".formatted(tensor.name(), tensor.file(), e.getMessage()), e);
        }
    }

    private void writeQuantized(SafetensorsWriter writer, StoredTensor original, FourBitTensor quantized) {
        String name = original.name();
        writer.write(name, quantized.packed());
        writer.write(name + BnbTensor.QUANT_MAP, bytes(spec.code().levels()));
        Optional<BnbQuantState.Nesting> nesting = writeScales(writer, name, quantized.scales());
        BnbQuantState state = new BnbQuantState(
                spec.code(), spec.blockSize(), original.type().torchName(), original.shape(), nesting);
        writer.writeText(
                BnbTensor.stateName(name, spec.code()),
                BnbQuantStateJson.write(state).getBytes(StandardCharsets.UTF_8));
    }

    private static Optional<BnbQuantState.Nesting> writeScales(
            SafetensorsWriter writer, String name, BlockScales scales) {
        if (scales instanceof PlainScales plain) {
            writer.write(name + BnbTensor.ABSMAX, bytes(plain.absmax()));
            return Optional.empty();
        }

        NestedScales nested = (NestedScales) scales;
        writer.write(name + BnbTensor.ABSMAX, nested.codes());
        writer.write(name + BnbTensor.NESTED_ABSMAX, bytes(nested.absmax()));
        writer.write(name + BnbTensor.NESTED_QUANT_MAP, bytes(nested.map()));
        return Optional.of(new BnbQuantState.Nesting(nested.blockSize(), nested.offset()));
    }

    private static ByteBuffer bytes(float[] values) {
        ByteBuffer buffer = ByteBuffer.allocate(values.length * Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
        buffer.asFloatBuffer().put(values);
        return buffer;
    }
}
