package org.sparkqlora.model;

import java.io.Serializable;
import java.util.HashSet;
import java.util.Set;
import java.util.stream.IntStream;
import org.sparkqlora.input.BadInputException;
import org.sparkqlora.model.layout.Method;
import org.sparkqlora.model.layout.ModelSpec;
import org.sparkqlora.quant.QuantSpec;
import org.sparkqlora.weights.family.DecoderTensors;
import org.sparkqlora.weights.family.ExpertMatrix;
import org.sparkqlora.weights.family.ModelConfig;
import org.sparkqlora.weights.family.PerLayerInput;
import org.sparkqlora.weights.family.Projection;
import org.sparkqlora.weights.family.ProjectionShape;

/**
 * A bound on what of a frozen base is resident in a process. What does not fit is read again for each use.
 *
 * @param bytes the most
 * @param dequantized whether the layers of a quantised base are dequantised once and kept, instead of for each use
 */
public record BaseMemoryLimit(long bytes, boolean dequantized) implements Serializable {
    /** Without a bound. */
    public static final BaseMemoryLimit ALL = new BaseMemoryLimit(Long.MAX_VALUE);

    /** Without a bound, layers dequantised once. */
    public static final BaseMemoryLimit DEQUANTIZED = new BaseMemoryLimit(Long.MAX_VALUE, true);

    /** Of what a pass reads at once, the pages that it ends in and those that the system maps around them. */
    private static final long PAGES = 1 << 17;

    public BaseMemoryLimit {
        if (bytes < 1) {
            throw new BadInputException("Cannot keep a base in %d bytes".formatted(bytes));
        }
    }

    public BaseMemoryLimit(long bytes) {
        this(bytes, false);
    }

    public boolean isBounded() {
        return bytes != Long.MAX_VALUE;
    }

    /**
     * The least that a model can be computed in: norms, biases and scales without double quantisation stay; and each pass has one matrix
     * of a layer, or a panel of the head, in hand.
     *
     * @param passes at once in a process
     */
    public static long smallest(ModelConfig config, ModelSpec spec, int passes) {
        return small(config, spec) + passes * (piece(config, spec) + PAGES);
    }

    /**
     * The parts of a base that are kept or read again.
     *
     * @param layers bytes of all their matrices
     * @param head bytes of it
     * @param tokensOfChunk tokens whose logits are computed at once, each time with the whole head
     */
    public record Division(long layers, long head, long tokensOfChunk) {}

    /** The parts of a model's base, as it is held. */
    public static Division division(ModelConfig config, ModelSpec spec) {
        DecoderTensors tensors = DecoderTensors.of(config);
        long weights =
                tensors.projections().stream().mapToLong(tensors::elements).sum();
        long row = config.vocabularySize() * width(spec);
        return new Division(held(weights, spec), row * config.hiddenSize(), OutputHead.chunk(row));
    }

    /** What of this bound is left beside what other passes of the process have in hand. */
    public BaseMemoryLimit besides(ModelConfig config, ModelSpec spec, int passes) {
        return isBounded() ? new BaseMemoryLimit(Math.max(1, bytes - passes * (piece(config, spec) + PAGES))) : this;
    }

    /** Refuses a bound in which the model cannot be computed. */
    public BaseMemoryLimit require(ModelConfig config, ModelSpec spec, int passes) {
        long smallest = smallest(config, spec, passes);
        if (bytes < smallest) {
            throw new BadInputException(
                    "Cannot keep the base in %d bytes: expected at least %d, of which %d are norms, biases and scales, and %d are what each of %d passes at once has in hand. Raise --base-memory, or lower --passes-at-once"
                            .formatted(bytes, smallest, small(config, spec), piece(config, spec) + PAGES, passes));
        }

        return this;
    }

    /**
     * Bytes of all layers dequantised, each matrix with the ranks of its adapter behind its rows and below them; experts, which are
     * dequantised one by one, apart.
     */
    public static long dequantizedBytes(ModelConfig config, ModelSpec spec) {
        long ranks =
                spec.lora() == null ? 0 : FusedLoraLinears.ranks(spec.lora().rank());
        return width(spec)
                * IntStream.range(0, config.layers())
                        .mapToLong(layer -> Projection.of(config, layer).stream()
                                .map(projection -> ProjectionShape.of(projection, config, layer))
                                .mapToLong(shape -> (shape.outputs() + ranks) * (shape.inputs() + ranks))
                                .sum())
                        .sum();
    }

    private static long small(ModelConfig config, ModelSpec spec) {
        DecoderTensors tensors = DecoderTensors.of(config);
        Set<String> large = new HashSet<>(tensors.projections());
        large.add(DecoderTensors.EMBEDDING);
        large.add(DecoderTensors.HEAD);
        large.add(PerLayerInput.EMBEDDING); // few rows of it are read
        long norms = tensors.shapes().keySet().stream()
                .filter(name -> !large.contains(name))
                .mapToLong(tensors::elements)
                .sum();
        return Float.BYTES * (norms + plainScales(tensors, spec));
    }

    private static long plainScales(DecoderTensors tensors, ModelSpec spec) {
        QuantSpec quant = spec.quant();
        return spec.method() == Method.QLORA && !quant.doubleQuant()
                ? tensors.projections().stream().mapToLong(tensors::elements).sum() / quant.blockSize()
                : 0;
    }

    private static long piece(ModelConfig config, ModelSpec spec) {
        long weights = Projection.of(config).stream()
                .mapToLong(projection -> ProjectionShape.largest(projection, config))
                .max()
                .orElse(0);
        if (config.traits().mixture().isPresent()) {
            // gate and up that alternate are read by lines of both
            boolean shared =
                    spec.method() == Method.LORA && config.mixture().modules().alternates();
            weights = Math.max(weights, ExpertMatrix.DOWN.shape(config).elements() * (shared ? 2 : 1));
        }

        long rows = Math.min(config.vocabularySize(), OutputHead.PANEL);
        return Math.max(held(weights, spec), rows * config.hiddenSize() * width(spec));
    }

    private static long held(long weights, ModelSpec spec) {
        return spec.method() == Method.QLORA
                ? weights / 2 + weights / spec.quant().blockSize()
                : weights * width(spec);
    }

    /** Bytes of an activation. */
    private static long width(ModelSpec spec) {
        return spec.precision().bytes();
    }
}
