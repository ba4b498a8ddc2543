package org.sparkqlora.weights.gguf;

import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.sparkqlora.weights.family.KeyValues;
import org.sparkqlora.weights.family.ModelConfig;

/**
 * Which tensor of a file has which type. Vectors and norms are float32. Plain files have one type for all matrices, as llama.cpp's
 * converter writes them; in mixed ones the head, and every layer's values and down projection where errors cost most, get more
 * bits, as {@code llama-quantize} does it.
 */
record GgufMix(GgufOutType outType, ModelConfig config, boolean ownHead) {
    private static final Pattern LAYER =
            Pattern.compile("blk\\.(\\d+)\\.(attn_v|attn_qkv|ffn_down|ffn_down_exps)\\.weight");
    private static final Pattern FLOATS = Pattern.compile(".*(_norm|ssm_conv1d|ffn_gate_inp)\\.weight");
    private static final Pattern KEYS_VALUES = Pattern.compile("blk\\.\\d+\\.attn_[kv]\\.weight");
    private static final int LAYERS_OF_70B = 80;

    /** Of this number, attention is small beside the experts, and costs little to keep better. */
    private static final int MOST_IN_EXPERTS = 8;

    /** @param shape outermost dimension first */
    GgufType typeOf(String name, long[] shape) {
        if (shape.length < 2 || FLOATS.matcher(name).matches()) {
            return GgufType.F32;
        }

        if (outType.isMixed() && name.equals(GgufNames.PER_LAYER_PROJECTION)) {
            return GgufType.F32; // llama-quantize leaves it as it is
        }

        GgufType wanted = outType.isMixed() ? mixed(name, shape) : outType.mostly();
        return fitting(wanted, shape);
    }

    private GgufType mixed(String name, long[] shape) {
        if (name.equals(GgufNames.HEAD) || isEmbedding(name) && !ownHead) {
            return fits(outType.mostly(), shape) ? GgufType.Q6_K : GgufType.Q8_0;
        }

        if (isMostlyExperts() && KEYS_VALUES.matcher(name).matches()) {
            return GgufType.Q8_0;
        }

        if (isMostlyExperts() && outType == GgufOutType.Q4_K_M && name.endsWith("attn_output.weight")) {
            return GgufType.Q5_K;
        }

        Matcher layer = LAYER.matcher(name);
        if (outType != GgufOutType.Q4_K_M || !layer.matches()) {
            return outType.mostly();
        }

        boolean down = layer.group(2).startsWith("ffn_down");
        int number = Integer.parseInt(layer.group(1));
        if (needsMoreBits(
                down ? number : valuesBefore(number), down ? config.layers() : valuesBefore(config.layers()))) {
            return GgufType.Q6_K;
        }

        return !down && sharesValuesOf70B() ? GgufType.Q5_K : outType.mostly();
    }

    private static boolean isEmbedding(String name) {
        return name.equals(GgufNames.EMBEDDING) || name.equals(GgufNames.PER_LAYER_EMBEDDING);
    }

    /** Layers before this one that have a projection for values. */
    private int valuesBefore(int layer) {
        return (int) config.layerTraits().subList(0, layer).stream()
                .filter(before -> before.keyValues() instanceof KeyValues.Projected)
                .count();
    }

    private boolean isMostlyExperts() {
        return config.traits()
                .mixture()
                .filter(mixture -> mixture.experts() == MOST_IN_EXPERTS)
                .isPresent();
    }

    /** The first and the last eighth of the layers, and every third between. */
    private static boolean needsMoreBits(int layer, int layers) {
        return layer < layers / 8 || layer >= 7 * layers / 8 || (layer - layers / 8) % 3 == 2;
    }

    /** Values that eight heads share are small, and cost little to keep better. */
    private boolean sharesValuesOf70B() {
        return config.layers() == LAYERS_OF_70B
                && switch (GgufArchitecture.of(config)) {
                    case LLAMA -> config.heads() != config.keyValueHeads();
                    case QWEN2 -> true;
                    case QWEN3,
                            QWEN3_MOE,
                            QWEN35,
                            GEMMA4,
                            GEMMA2,
                            GEMMA3,
                            GRANITE,
                            GRANITE4,
                            OLMO2,
                            OLMO3,
                            PHI3,
                            SMOLLM3,
                            MISTRAL3 -> false;
                };
    }

    /** The type, or the next one whose blocks fit the rows. */
    private static GgufType fitting(GgufType wanted, long[] shape) {
        GgufType smaller = switch (wanted) {
            case Q4_K -> GgufType.Q5_0;
            case Q5_K, Q6_K -> GgufType.Q8_0;
            case F32, F16, BF16, Q4_0, Q4_1, Q5_0, Q5_1, Q8_0, Q2_K, Q3_K -> wanted;
        };
        return List.of(wanted, smaller).stream()
                .filter(type -> fits(type, shape))
                .findFirst()
                .orElse(GgufType.F16);
    }

    private static boolean fits(GgufType type, long[] shape) {
        return shape[shape.length - 1] % type.blockSize() == 0;
    }
}
