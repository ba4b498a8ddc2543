package org.sparkqlora.weights.family;

import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;
import org.sparkqlora.weights.safetensors.FieldsJson;

/** Qwen 3 whose layers have experts, but for some. */
final class Qwen3MoeFamily implements ModelFamily {
    private static final int EXPERTS = 128;
    private static final int PER_TOKEN = 8;
    private static final int WIDTH = 768;
    private static final int WINDOW = 4096;

    @Override
    public DecoderTraits traits(FieldsJson config) {
        DecoderTraits.Builder traits = LlamaFamily.withAttentionBias(config).queryKeyNorm(QueryKeyNorm.EACH_HEAD);
        return hasExperts(config) ? traits.mixture(mixture(config)).build() : traits.build();
    }

    @Override
    public List<LayerTraits> layers(LayerFieldsJson config) {
        FieldsJson fields = config.fields();
        List<Integer> dense = fields.integers("mlp_only_layers");
        int step = fields.count("decoder_sparse_step", 1);
        List<LayerTraits> layers = new ArrayList<>(config.alike(window(fields)));
        for (int layer = 0; layer < layers.size(); layer++) {
            if (hasExperts(fields) && !dense.contains(layer) && (layer + 1) % step == 0) {
                layers.set(layer, layers.get(layer).withExperts());
            }
        }

        return layers;
    }

    /** Of all layers, where the config says so. */
    private static OptionalInt window(FieldsJson config) {
        return config.flag("use_sliding_window", false)
                ? config.countOrNull("sliding_window", WINDOW)
                : OptionalInt.empty();
    }

    /** In a model without experts each layer has one feed-forward part. */
    private static boolean hasExperts(FieldsJson config) {
        return experts(config) > 0;
    }

    private static int experts(FieldsJson config) {
        return ExpertsJson.experts(config, EXPERTS);
    }

    private static Mixture mixture(FieldsJson config) {
        int experts = experts(config);
        return new Mixture(
                experts,
                ExpertsJson.perToken(config, experts, PER_TOKEN),
                config.count("moe_intermediate_size", WIDTH),
                config.flag("norm_topk_prob", false));
    }
}
