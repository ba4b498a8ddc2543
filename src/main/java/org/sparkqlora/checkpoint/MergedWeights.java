package org.sparkqlora.checkpoint;

import java.nio.FloatBuffer;
import java.util.HashSet;
import java.util.Optional;
import java.util.Set;
import org.sparkqlora.input.BadInputException;
import org.sparkqlora.model.adapter.AdapterMerge;
import org.sparkqlora.model.layout.Parameter;
import org.sparkqlora.model.layout.SavedModules;
import org.sparkqlora.quant.FloatSource;
import org.sparkqlora.quant.FourBitDequantizer;
import org.sparkqlora.quant.FourBitQuantizer;
import org.sparkqlora.quant.FourBitTensor;
import org.sparkqlora.quant.QuantSpec;
import org.sparkqlora.quant.Workers;
import org.sparkqlora.tensor.FlatVector;
import org.sparkqlora.weights.ChangedWeights;
import org.sparkqlora.weights.WeightFolder;
import org.sparkqlora.weights.family.DecoderTensors;
import org.sparkqlora.weights.family.ModelConfig;

/**
 * A model's weights with an adapter folded in. Over the stored base only those that carry an adapter change; over the
 * quantised base every weight that is held in four bits becomes what the adapter saw while it was trained.
 */
public final class MergedWeights implements ChangedWeights {
    /** The weight that an adapter is added to. */
    private interface Base {
        boolean has(String weight);

        FloatSource floats(String weight);
    }

    private final WeightFolder source;
    private final Base base;
    private final AdapterMerge merge;
    private final FlatVector adapter;
    private final Workers workers;

    private MergedWeights(WeightFolder source, Base base, AdapterMerge merge, FlatVector adapter, Workers workers) {
        this.source = source;
        this.base = base;
        this.merge = merge;
        this.adapter = adapter;
        this.workers = workers;
    }

    /** The adapter folded into the weights as {@code source} stores them, which must not be in four bits. */
    public static MergedWeights intoStored(
            WeightFolder source, AdapterMerge merge, FlatVector adapter, Workers workers) {
        if (source.quantized()) {
            throw new BadInputException(
                    "Cannot merge into the original weights of %s: expected weights in 16 or 32 bits, found 4-bit weights only"
                            .formatted(source.path()));
        }

        return new MergedWeights(source, new Stored(source), merge, adapter, workers);
    }

    /**
     * The adapter folded into the dequantised weights.
     *
     * @param spec how weights that are not in four bits yet are quantised
     */
    public static MergedWeights intoQuantized(
            WeightFolder source, QuantSpec spec, AdapterMerge merge, FlatVector adapter, Workers workers) {
        Base base = new Dequantized(
                source,
                new HashSet<>(DecoderTensors.of(source.config()).projections()),
                new FourBitQuantizer(spec, workers));
        return new MergedWeights(source, base, merge, adapter, workers);
    }

    @Override
    public boolean has(String name) {
        return merge.has(name) || base.has(name) || isNewHead(name);
    }

    @Override
    public FloatSource floats(String name) {
        Parameter whole = merge.whole(name);
        if (whole != null) {
            return new VectorRange(adapter, whole);
        }

        if (isNewHead(name)) {
            return source.tensor(DecoderTensors.EMBEDDING).asFloats();
        }

        FloatSource weight = base.floats(name);
        return merge.has(name) ? merge.merged(name, weight, adapter, workers) : weight;
    }

    @Override
    public Optional<long[]> scoreHead() {
        return Optional.ofNullable(merge.whole(SavedModules.SCORE_WEIGHT)).map(Parameter::shape);
    }

    @Override
    public ModelConfig config(ModelConfig own) {
        return merge.config();
    }

    /** Whether it is the head of a model that had none: where the adapter left it alone, it is what the embedding was. */
    private boolean isNewHead(String name) {
        return name.equals(DecoderTensors.HEAD) && !merge.config().tiedEmbeddings() && !source.has(name);
    }

    private record Stored(WeightFolder source) implements Base {
        @Override
        public boolean has(String weight) {
            return false;
        }

        @Override
        public FloatSource floats(String weight) {
            return source.tensor(weight).asFloats();
        }
    }

    private record Dequantized(WeightFolder source, Set<String> projections, FourBitQuantizer quantizer)
            implements Base {
        @Override
        public boolean has(String weight) {
            return projections.contains(weight);
        }

        @Override
        public FloatSource floats(String weight) {
            return new FourBitFloats(source.fourBit(weight)
                    .orElseGet(() -> quantizer.quantize(source.tensor(weight).asFloats())));
        }
    }

    /** Reads a 4-bit weight as float32 in the reader's thread, which may be a worker. */
    private static final class FourBitFloats implements FloatSource {
        private final FourBitTensor tensor;
        private final FourBitDequantizer dequantizer = new FourBitDequantizer(new Workers(1));

        private FourBitFloats(FourBitTensor tensor) {
            this.tensor = tensor;
        }

        @Override
        public long length() {
            return tensor.elements();
        }

        @Override
        public void read(long from, float[] target, int count) {
            dequantizer.toFloat(tensor, from, count, FloatBuffer.wrap(target));
        }
    }
}
