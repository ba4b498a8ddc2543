package org.sparkqlora.memory;

import java.util.HashSet;
import java.util.OptionalLong;
import java.util.Set;
import org.sparkqlora.model.layout.Precision;
import org.sparkqlora.quant.NestedScales;
import org.sparkqlora.quant.QuantSpec;
import org.sparkqlora.weights.family.DecoderTensors;
import org.sparkqlora.weights.family.ModelConfig;
import org.sparkqlora.weights.family.PerLayerInput;
import org.sparkqlora.weights.family.Projection;
import org.sparkqlora.weights.family.ProjectionShape;

/**
 * Bytes of a frozen base model.
 *
 * <p>Dense: every weight in the number format of activations, or packed as its checkpoint has it; norms in float32, and the embedding of each layer as in its file. In 4 bits: {@code n / 2} bytes for the n weights of a
 * projection, the rest as before; and for every block of 64 weights a scale: 4 bytes, or with double quantisation
 * {@code 1 + 4 / 256} and once a tensor the 256 levels and the offset.
 */
record WeightMemory(ModelConfig config, Precision precision) {
    private static final int LEVELS = 256;

    long dense() {
        DecoderTensors tensors = DecoderTensors.of(config);
        Set<String> projections = new HashSet<>(tensors.projections());
        return tensors.shapes().entrySet().stream()
                .mapToLong(weight -> projections.contains(weight.getKey())
                        ? ofProjection(weight.getKey(), weight.getValue(), tensors)
                        : bytes(weight.getKey(), tensors))
                .sum();
    }

    private long ofProjection(String name, long[] shape, DecoderTensors tensors) {
        OptionalLong packed = config.packed().map(all -> all.bytes(name, shape)).orElseGet(OptionalLong::empty);
        return packed.orElseGet(() -> bytes(name, tensors));
    }

    long fourBit() {
        DecoderTensors tensors = DecoderTensors.of(config);
        Set<String> projections = new HashSet<>(tensors.projections());
        return tensors.shapes().keySet().stream()
                .mapToLong(name ->
                        projections.contains(name) ? ceilingOf(tensors.elements(name), 2) : bytes(name, tensors))
                .sum();
    }

    long scales(QuantSpec quant) {
        DecoderTensors tensors = DecoderTensors.of(config);
        return tensors.projections().stream()
                .mapToLong(name -> scales(quant, tensors.elements(name)))
                .sum();
    }

    /** Rows that stay in the host's memory and in the number format of their file, whatever computes; zero where there are none. */
    long mappedRows() {
        return config.traits()
                .perLayer()
                .map(input -> input.vocabularySize()
                        * DecoderTensors.perLayerWidth(config)
                        * (config.storedType().equals("float32") ? Float.BYTES : Short.BYTES))
                .orElse(0L);
    }

    /** The expert in hand, in the number format of activations; zero in a model that has none. */
    long oneExpert() {
        return config.traits().mixture().isPresent() ? DecoderTensors.expertElements(config) * bytesOf(precision) : 0;
    }

    /** The projections of one layer of each kind, and one expert, in the number format of activations. */
    long oneLayer() {
        long all = Projection.of(config).stream()
                .mapToLong(projection -> ProjectionShape.largest(projection, config))
                .sum();
        return all * bytesOf(precision) + oneExpert();
    }

    static long scales(QuantSpec quant, long weights) {
        long blocks = ceilingOf(weights, quant.blockSize());
        if (!quant.doubleQuant()) {
            return blocks * Float.BYTES;
        }

        return blocks + Float.BYTES * (ceilingOf(blocks, NestedScales.BLOCK_SIZE) + LEVELS + 1);
    }

    /** Bytes of a value. */
    static int bytesOf(Precision precision) {
        return switch (precision) {
            case BF16, FP16 -> Short.BYTES;
            case FP32 -> Float.BYTES;
        };
    }

    private long bytes(String name, DecoderTensors tensors) {
        if (name.equals(PerLayerInput.EMBEDDING)) {
            return mappedRows();
        }

        boolean norm = name.endsWith("norm.weight");
        return tensors.elements(name) * (norm ? Float.BYTES : bytesOf(precision));
    }

    private static long ceilingOf(long total, long parts) {
        return (total + parts - 1) / parts;
    }
}
