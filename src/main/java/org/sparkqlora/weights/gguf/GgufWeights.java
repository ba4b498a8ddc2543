package org.sparkqlora.weights.gguf;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Supplier;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.sparkqlora.quant.FloatSource;
import org.sparkqlora.weights.ChangedWeights;
import org.sparkqlora.weights.WeightFolder;
import org.sparkqlora.weights.family.DecoderTensors;
import org.sparkqlora.weights.family.ModelConfig;
import org.sparkqlora.weights.family.ProjectionShape;
import org.sparkqlora.weights.family.RotaryScaling;
import org.sparkqlora.weights.safetensors.InvalidWeightsException;

/** The tensors of a file to write: a model's weights under GGUF's names and in its form, each read when its turn comes. */
final class GgufWeights {
    /** What old checkpoints store besides weights. */
    private static final Pattern NO_WEIGHT =
            Pattern.compile(".*(\\.rotary_emb\\.inv_freq|\\.attention\\.(masked_)?bias)");

    private final WeightFolder source;
    private final ChangedWeights changed;
    private final ModelConfig config;
    private final GgufArchitecture architecture;
    private final GgufForm form;

    GgufWeights(WeightFolder source, ChangedWeights changed) {
        this.source = source;
        this.changed = changed;
        this.config = changed.config(source.config());
        this.architecture = GgufArchitecture.of(config);
        this.form = GgufForm.of(architecture, config);
    }

    /** In the order of {@code llama-quantize} for its types, by layer and name, and in that of the model's files for others. */
    List<GgufStream.Tensor> tensors(GgufOutType outType) {
        List<String> names = names();
        GgufMix mix = new GgufMix(outType, config, names.contains(DecoderTensors.HEAD));
        List<GgufStream.Tensor> tensors = new ArrayList<>();
        factors().ifPresent(tensors::add);
        ExpertCount left = new ExpertCount();
        for (String name : names) {
            List<GgufExperts> experts = experts(name);
            if (experts.isEmpty()) {
                parts(name).forEach(part -> tensors.add(tensor(name, part, mix)));
            } else if (left.isLast(
                    experts.get(0).layer(), experts.size() * config.mixture().experts())) {
                experts.forEach(each -> tensors.add(tensor(each, mix)));
            }
        }

        if (outType.isMixed()) {
            tensors.sort(GgufNames.BY_LAYER);
        }

        return tensors;
    }

    private GgufStream.Tensor tensor(String name, GgufPart part, GgufMix mix) {
        long[] shape = GgufForm.shape(part.name(), part.shape(shapeOf(name)));
        Supplier<FloatSource> values = () -> form.gguf(part.name(), shape, part.of(floats(name)));
        return new GgufStream.Tensor(part.name(), mix.typeOf(part.name(), shape), shape, values);
    }

    private List<GgufExperts> experts(String name) {
        return architecture == GgufArchitecture.QWEN3_MOE ? GgufExperts.ofLayer(name) : List.of();
    }

    private GgufStream.Tensor tensor(GgufExperts experts, GgufMix mix) {
        int count = config.mixture().experts();
        ProjectionShape each = experts.matrix().shape(config);
        long[] shape = {count, each.outputs(), each.inputs()};
        List<Supplier<FloatSource>> values = experts.weights(count).stream()
                .map(name -> (Supplier<FloatSource>) () -> floats(name))
                .toList();
        return new GgufStream.Tensor(
                experts.name(),
                mix.typeOf(experts.name(), shape),
                shape,
                () -> new StackedFloats(values, each.elements()));
    }

    /** The number of weights of each layer's experts that were met. */
    private static final class ExpertCount {
        private final Map<Integer, Integer> met = new HashMap<>();

        /** Counts one more, and tells whether it is the last of {@code all}. */
        boolean isLast(int layer, int all) {
            return met.merge(layer, 1, Integer::sum) == all;
        }
    }

    /** Hugging Face's names. */
    private List<String> names() {
        List<String> names = new ArrayList<>();
        for (String name : source.names()) {
            boolean repeated = name.equals(DecoderTensors.HEAD) && config.tiedEmbeddings();
            if (!repeated && !NO_WEIGHT.matcher(name).matches()) {
                names.add(name);
            }

            if (name.equals(DecoderTensors.EMBEDDING) && !config.tiedEmbeddings() && !source.has(DecoderTensors.HEAD)) {
                names.add(DecoderTensors.HEAD);
            }
        }

        return names;
    }

    private List<GgufPart> parts(String name) {
        List<GgufPart> parts = GgufNames.parts(architecture, name);
        if (parts.isEmpty()) {
            throw new InvalidWeightsException("Cannot export %s as GGUF: expected the weights of a %s, found %s"
                    .formatted(source.path(), architecture, name));
        }

        return parts;
    }

    private long[] shapeOf(String name) {
        boolean whole = name.equals(DecoderTensors.EMBEDDING) || name.equals(DecoderTensors.HEAD);
        return whole ? new long[] {config.vocabularySize(), config.hiddenSize()} : source.shapeOf(name);
    }

    private FloatSource floats(String name) {
        return changed.has(name) ? changed.floats(name) : source.tensor(name).asFloats();
    }

    /** A scaling of waves that only Llama's own form can say. */
    private Optional<GgufStream.Tensor> factors() {
        return architecture == GgufArchitecture.GEMMA4
                ? Optional.of(factors(GgufGemma4Entries.factors(config)))
                : llama3Factors();
    }

    private static GgufStream.Tensor factors(float[] stored) {
        return new GgufStream.Tensor(
                GgufNames.ROTARY_FACTORS, GgufType.F32, new long[] {stored.length}, () -> FloatSource.of(stored));
    }

    private Optional<GgufStream.Tensor> llama3Factors() {
        return config.layerTraits().stream()
                .flatMap(layer -> layer.rotary().stream())
                .findFirst()
                .filter(rotary -> rotary.scaling() instanceof RotaryScaling.Llama3)
                .map(rotary -> factors(Llama3Factors.stored(
                        (RotaryScaling.Llama3) rotary.scaling(), rotary.theta(), config.headSize())));
    }

    /** Tensors of one size, one below the other, each opened when its turn comes and let go after it. */
    private static final class StackedFloats implements FloatSource {
        private final List<Supplier<FloatSource>> parts;
        private final long each;
        private int opened = -1;
        private @Nullable FloatSource current;

        /** @param each numbers of a part */
        StackedFloats(List<Supplier<FloatSource>> parts, long each) {
            this.parts = List.copyOf(parts);
            this.each = each;
        }

        @Override
        public long length() {
            return each * parts.size();
        }

        @Override
        public synchronized void read(long from, float[] target, int count) {
            int done = 0;
            while (done < count) {
                long within = (from + done) % each;
                int taken = (int) Math.min(count - done, each - within);
                float[] piece = new float[taken];
                part((int) ((from + done) / each)).read(within, piece, taken);
                System.arraycopy(piece, 0, target, done, taken);
                done += taken;
            }
        }

        private FloatSource part(int index) {
            FloatSource part = current;
            if (part == null || opened != index) {
                part = parts.get(index).get();
                current = part;
                opened = index;
            }

            return part;
        }
    }
}
