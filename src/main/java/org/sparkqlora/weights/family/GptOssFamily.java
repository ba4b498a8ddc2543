package org.sparkqlora.weights.family;

import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import org.sparkqlora.weights.safetensors.FieldsJson;

/** OpenAI's gpt-oss: experts in every layer, a window in every second, and a sink that takes a share of all attention. */
final class GptOssFamily implements ModelFamily {
    private static final int EXPERTS = 128;
    private static final int PER_TOKEN = 4;
    private static final int WINDOW = 128;
    private static final double ALPHA = 1.702;
    private static final double LIMIT = 7;
    private static final double STRETCH = 32;
    private static final int ORIGINAL_POSITIONS = 4096;

    @Override
    public double theta() {
        return 150_000;
    }

    @Override
    public double normEpsilon() {
        return 1e-5;
    }

    @Override
    public OptionalInt headSize() {
        return OptionalInt.of(64);
    }

    @Override
    public List<String> quantizations() {
        return List.of("bitsandbytes", "mxfp4");
    }

    @Override
    public DecoderTraits traits(FieldsJson config) {
        boolean biased = config.flag("attention_bias", true);
        return DecoderTraits.builder()
                .attentionBias(biased, biased)
                .attentionSinks()
                .mixture(mixture(config))
                .build();
    }

    @Override
    public List<LayerTraits> layers(LayerFieldsJson config) {
        List<String> kinds = config.kindsFullEvery(2);
        OptionalInt window = config.fields().countOrNull("sliding_window", WINDOW);
        RotarySpec rotary = rotary(config);
        return config.windowed(kinds, window, rotary, rotary).stream()
                .map(LayerTraits::withExperts)
                .toList();
    }

    /** YaRN where the config says nothing, as in transformers. */
    private RotarySpec rotary(LayerFieldsJson config) {
        FieldsJson fields = config.fields();
        if (fields.has("rope_parameters") || fields.has("rope_scaling")) {
            return config.rotary();
        }

        double attention = 0.1 * Math.log(STRETCH) + 1;
        return new RotarySpec(
                fields.number("rope_theta", theta()),
                new RotaryScaling.Yarn(STRETCH, attention, 32, 1, ORIGINAL_POSITIONS, false));
    }

    private static Mixture mixture(FieldsJson config) {
        int experts = ExpertsJson.experts(config, EXPERTS);
        GateClamp clamp = new GateClamp(config.number("swiglu_alpha", ALPHA), config.number("swiglu_limit", LIMIT));
        return new Mixture(
                experts,
                ExpertsJson.perToken(config, experts, PER_TOKEN),
                config.count("intermediate_size"),
                true,
                ExpertModules.INTERLEAVED,
                Optional.of(clamp));
    }
}
