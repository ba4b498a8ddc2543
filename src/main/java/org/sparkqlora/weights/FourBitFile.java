package org.sparkqlora.weights;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
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
import org.sparkqlora.weights.safetensors.InvalidWeightsException;
import org.sparkqlora.weights.safetensors.SafetensorsWriter;
import org.sparkqlora.weights.safetensors.StoredTensor;
import org.sparkqlora.weights.safetensors.StoredType;
import org.sparkqlora.weights.safetensors.TensorSource;
import org.sparkqlora.weights.safetensors.TensorSpec;

/** Writes weights of a model to one file, projections in four bits, others as stored. Who asks for it forces it to disk, or moves it. */
final class FourBitFile {
    /** More than the longest state: 39 bytes of numbers beside its fixed words. */
    static final int LONGEST_STATE = 256;

    private final QuantSpec spec;
    private final FourBitQuantizer quantizer;
    private final Set<String> projections;
    private final ChangedWeights changed;
    private final Watch watch;

    FourBitFile(QuantSpec spec, Workers workers, Set<String> projections, ChangedWeights changed) {
        this(spec, workers, projections, changed, Watch.NONE);
    }

    FourBitFile(QuantSpec spec, Workers workers, Set<String> projections, ChangedWeights changed, Watch watch) {
        this.spec = spec;
        this.quantizer = new FourBitQuantizer(spec, workers);
        this.projections = Set.copyOf(projections);
        this.changed = changed;
        this.watch = watch;
    }

    /** Sees each weight as it is written. */
    interface Watch {
        Watch NONE = new Watch() {
            @Override
            public void written(StoredTensor original, FourBitTensor quantized, long storedBytes) {}

            @Override
            public void copied(StoredTensor tensor) {}
        };

        /** @param storedBytes that it takes with its scales, tables and state */
        void written(StoredTensor original, FourBitTensor quantized, long storedBytes);

        /** Before it is. */
        void copied(StoredTensor tensor);
    }

    /** Writes {@code tensors}, which are read from {@code source} one after the other. */
    void write(Path file, List<TensorSpec> tensors, TensorSource source) {
        List<TensorSpec> specs = new ArrayList<>();
        List<String> states = new ArrayList<>();
        for (TensorSpec tensor : tensors) {
            if (projections.contains(tensor.name())) {
                specs.addAll(specsOf(tensor, spec));
                states.add(BnbTensor.stateName(tensor.name(), spec.code()));
            } else {
                specs.add(tensor);
            }
        }

        try (SafetensorsWriter writer =
                SafetensorsWriter.create(file, SafetensorsWriter.PYTORCH, specs, states, LONGEST_STATE)) {
            for (TensorSpec tensor : tensors) {
                write(writer, source.tensor(tensor.name()));
            }

            writer.commitUnforced();
        }
    }

    /** What a weight in four bits is made of, but for its state, which is a text of at most {@link #LONGEST_STATE} bytes. */
    static List<TensorSpec> specsOf(TensorSpec weight, QuantSpec spec) {
        String name = weight.name();
        long elements = weight.elements();
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
            FourBitTensor quantized = quantized(tensor);
            int state = writeQuantized(writer, tensor, quantized);
            long others = specsOf(tensor.spec(), spec).stream()
                    .mapToLong(TensorSpec::byteSize)
                    .sum();
            watch.written(tensor, quantized, others + state);
        } else {
            watch.copied(tensor);
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

    /** Tells the length of the state. */
    private int writeQuantized(SafetensorsWriter writer, StoredTensor original, FourBitTensor quantized) {
        String name = original.name();
        writer.write(name, quantized.packed());
        writer.write(name + BnbTensor.QUANT_MAP, bytes(spec.code().levels()));
        Optional<BnbQuantState.Nesting> nesting = writeScales(writer, name, quantized.scales());
        BnbQuantState state = new BnbQuantState(
                spec.code(), spec.blockSize(), original.type().torchName(), original.shape(), nesting);
        byte[] text = BnbQuantStateJson.write(state).getBytes(StandardCharsets.UTF_8);
        writer.writeText(BnbTensor.stateName(name, spec.code()), text);
        return text.length;
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
