package org.sparkqlora.weights.family;

import java.util.List;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import org.sparkqlora.weights.safetensors.FieldsJson;

/** Gemma 2: norms on both sides of a part, capped scores and logits, a window in every other layer. */
final class Gemma2Family implements ModelFamily {
    private static final int WINDOW = 4096;
    private static final double ATTENTION_CAP = 50;
    private static final double LOGIT_CAP = 30;

    @Override
    public DecoderTraits traits(FieldsJson config) {
        return gemma(config)
                .caps(
                        config.numberOrNull("attn_logit_softcapping", ATTENTION_CAP),
                        config.numberOrNull("final_logit_softcapping", LOGIT_CAP))
                .build();
    }

    /** The traits that Gemma 2 and 3 share. */
    static DecoderTraits.Builder gemma(FieldsJson config) {
        if (config.flag("use_bidirectional_attention", false)) {
            throw config.unsupported("use_bidirectional_attention", "true", "attention to earlier tokens only");
        }

        boolean biased = config.flag("attention_bias", false);
        return DecoderTraits.builder()
                .norms(NormPlacement.AROUND)
                .normsCountFromZero()
                .activation(Activation.read(config, "hidden_activation", Activation.GELU_TANH))
                .attentionBias(biased, biased)
                .embeddingMultiplier(Math.sqrt(config.count("hidden_size")))
                .attentionScale(1 / Math.sqrt(config.number("query_pre_attn_scalar", 256)))
                .caps(OptionalDouble.empty(), OptionalDouble.empty());
    }

    @Override
    public List<LayerTraits> layers(LayerFieldsJson config) {
        return config.windowed(config.kindsFullEvery(2), config.fields().countOrNull("sliding_window", WINDOW));
    }

    @Override
    public boolean tiedEmbeddings() {
        return true;
    }

    @Override
    public OptionalInt headSize() {
        return OptionalInt.of(256);
    }
}
