package org.sparkqlora.weights.family;

import java.util.List;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import org.sparkqlora.weights.safetensors.FieldsJson;

/** Gemma 3 for text: Gemma 2 with a norm over each head of queries and keys in place of caps, and other waves in windowed layers. */
final class Gemma3TextFamily implements ModelFamily {
    private static final int WINDOW = 4096;
    private static final int PATTERN = 6;
    private static final double WINDOWED_THETA = 10_000;

    @Override
    public DecoderTraits traits(FieldsJson config) {
        return Gemma2Family.gemma(config)
                .queryKeyNorm(QueryKeyNorm.EACH_HEAD)
                .caps(OptionalDouble.empty(), config.numberOrNull("final_logit_softcapping"))
                .build();
    }

    @Override
    public List<LayerTraits> layers(LayerFieldsJson config) {
        FieldsJson fields = config.fields();
        int pattern = fields.count("sliding_window_pattern", PATTERN);
        OptionalInt window = fields.countOrNull("sliding_window", WINDOW);
        RotarySpec full = config.fullRotary();
        RotarySpec sliding =
                config.unscaledRotaryOf(LayerFieldsJson.SLIDING, fields.number("rope_local_base_freq", WINDOWED_THETA));
        return config.windowed(config.kindsFullEvery(pattern), window, full, sliding);
    }

    @Override
    public double theta() {
        return 1_000_000;
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
