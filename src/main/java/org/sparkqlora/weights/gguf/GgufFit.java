package org.sparkqlora.weights.gguf;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.OptionalInt;
import java.util.function.Predicate;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.sparkqlora.weights.family.Activation;
import org.sparkqlora.weights.family.LayerTraits;
import org.sparkqlora.weights.family.LayerTraits.LayerSizes;
import org.sparkqlora.weights.family.Mixture;
import org.sparkqlora.weights.family.ModelConfig;
import org.sparkqlora.weights.family.RotaryScaling;
import org.sparkqlora.weights.family.RotarySpec;
import org.sparkqlora.weights.safetensors.FieldsJson;
import org.sparkqlora.weights.safetensors.InvalidWeightsException;

/**
 * Compares a config with what llama.cpp computes for its family. What no key of a file can say would be computed otherwise and is
 * refused; what only long texts meet is noted.
 */
final class GgufFit {
    private static final double GEMMA2_THETA = 10_000;
    private static final int TURNLESS_INTERVAL = 4;
    private static final int GEMMA2_PATTERN = 2;
    private static final int GEMMA3_PATTERN = 6;
    private static final double PRECISION = 1e-6;

    private final ModelConfig config;
    private final FieldsJson fields;
    private final GgufArchitecture architecture;
    private final List<String> problems = new ArrayList<>();
    private final List<String> notes = new ArrayList<>();

    private GgufFit(ModelConfig config, FieldsJson fields) {
        this.config = config;
        this.fields = fields;
        this.architecture = GgufArchitecture.of(config);
    }

    /** What is computed otherwise in long texts. Throws one error that lists all that a file cannot say. */
    static List<String> check(ModelConfig config, FieldsJson fields) {
        GgufFit fit = new GgufFit(config, fields);
        fit.checkSizes();
        fit.checkLayers();
        fit.checkRotation();
        if (fit.architecture.isGemma()) {
            fit.checkAttentionScale();
        }

        if (!fit.problems.isEmpty()) {
            throw new InvalidWeightsException("Cannot export %s as GGUF, since llama.cpp computes a %s otherwise: %s"
                    .formatted(fields.document(), fit.architecture, String.join("; ", fit.problems)));
        }

        return fit.notes;
    }

    private void checkSizes() {
        boolean named = switch (architecture) {
            case LLAMA, QWEN3, QWEN35, GEMMA2, GEMMA3, GEMMA4, MISTRAL3 -> true;
            case QWEN2, QWEN3_MOE, OLMO2, OLMO3, SMOLLM3 -> fields.has("head_dim");
            case GRANITE, GRANITE4, PHI3 -> false;
        };
        int divided = config.hiddenSize() / config.heads();
        require(named || config.headSize() == divided, "a head size of %d, expected %d", config.headSize(), divided);
        boolean ofGemma = architecture.isGemma() || architecture == GgufArchitecture.GEMMA4;
        Activation activation = ofGemma ? Activation.GELU_TANH : Activation.SILU;
        require(
                config.traits().activation() == activation,
                "the activation %s, expected %s",
                config.traits().activation(),
                activation);
    }

    private void checkLayers() {
        switch (architecture) {
            case SMOLLM3 ->
                require(
                        layersAre(layer -> layer.rotary().isPresent(), TURNLESS_INTERVAL),
                        "no_rope_layers other than every fourth");
            case GEMMA2 ->
                require(
                        layersAre(layer -> layer.window().isPresent(), GEMMA2_PATTERN),
                        "layer_types other than full attention in every second");
            case GEMMA3 ->
                require(
                        layersAre(layer -> layer.window().isPresent(), GEMMA3_PATTERN),
                        "layer_types other than full attention in every sixth");
            case LLAMA, QWEN2, QWEN3, GRANITE, OLMO2, MISTRAL3 -> noteWindow();
            case QWEN3_MOE -> {
                checkExperts();
                noteWindow();
            }
            case GRANITE4 ->
                require(
                        config.layerTraits().stream()
                                .allMatch(layer -> layer.rotary().isPresent()),
                        "position_embedding_type nope, expected rope");
            case OLMO3 -> checkWindowedTheta();
            case QWEN35 ->
                require(
                        config.deltaNet().keySize() == config.deltaNet().valueSize(),
                        "linear_key_head_dim %d and linear_value_head_dim %d, expected the same",
                        config.deltaNet().keySize(),
                        config.deltaNet().valueSize());
            case GEMMA4 -> checkGemma4();
            case PHI3 -> {} // a key says the window of all layers
        }
    }

    /** Two kinds of layers, each of one size, whose full ones turn in part. */
    private void checkGemma4() {
        require(!fields.flag("attention_bias", false), "attention_bias true, expected false");
        require(
                config.traits()
                        .perLayer()
                        .map(input -> input.vocabularySize() == config.vocabularySize())
                        .orElse(true),
                "vocab_size_per_layer_input other than vocab_size");
        require(
                layerTraits(true).count() > 0 && layerTraits(false).count() > 0,
                "layers of one kind, expected some with a window and some without");
        require(
                layerTraits(true)
                                        .map(LayerTraits::sizes)
                                        .map(LayerSizes::headSize)
                                        .distinct()
                                        .count()
                                <= 1
                        && layerTraits(false)
                                        .map(LayerTraits::sizes)
                                        .map(LayerSizes::headSize)
                                        .distinct()
                                        .count()
                                <= 1,
                "heads of several sizes in layers of one kind");
    }

    private Stream<LayerTraits> layerTraits(boolean windowed) {
        return config.layerTraits().stream().filter(layer -> layer.window().isPresent() == windowed);
    }

    private void checkExperts() {
        boolean everywhere = IntStream.range(0, config.layers()).allMatch(config::isMixture);
        require(everywhere, "layers without experts (mlp_only_layers, decoder_sparse_step)");
        require(
                config.traits().mixture().map(Mixture::normalized).orElse(true),
                "norm_topk_prob false, expected true: weights of a token's experts that sum to 1");
        require(!fields.flag("attention_bias", false), "attention_bias true, expected false");
    }

    /** A key says the base of the frequencies in windows, and is not used. */
    private void checkWindowedTheta() {
        require(
                config.layerTraits().stream()
                                .flatMap(layer -> layer.rotary().stream())
                                .mapToDouble(RotarySpec::theta)
                                .distinct()
                                .count()
                        <= 1,
                "another rope_theta in layers with a window than in others");
    }

    /** Whether all layers are {@code usual} but every {@code interval}-th. */
    private boolean layersAre(Predicate<LayerTraits> usual, int interval) {
        return IntStream.range(0, config.layers())
                .allMatch(layer -> usual.test(config.layerTraits().get(layer)) == ((layer + 1) % interval != 0));
    }

    private void noteWindow() {
        OptionalInt window = config.layerTraits().stream()
                .flatMapToInt(layer -> layer.window().stream())
                .findFirst();
        if (window.isPresent()) {
            notes.add(String.format(
                    Locale.ROOT,
                    "llama.cpp lets each token of a %s see all before it, not %d: longer texts are continued otherwise",
                    config.modelType(),
                    window.getAsInt()));
        }
    }

    private void checkRotation() {
        for (LayerTraits layer : config.layerTraits()) {
            boolean windowed = List.of(GgufArchitecture.GEMMA3, GgufArchitecture.GEMMA4, GgufArchitecture.OLMO3)
                            .contains(architecture)
                    && layer.window().isPresent();
            layer.rotary().ifPresent(rotary -> check(rotary, windowed));
        }
    }

    private void check(RotarySpec rotary, boolean windowed) {
        RotaryScaling scaling = rotary.scaling();
        if (scaling instanceof RotaryScaling.Dynamic dynamic) {
            note("llama.cpp knows no dynamic scaling: texts of more than %s tokens are continued otherwise"
                    .formatted(dynamic.maxPositions()));
            return;
        }

        boolean says = switch (architecture) {
            case LLAMA, GRANITE, GRANITE4, SMOLLM3, MISTRAL3 -> true;
            case QWEN2, QWEN3, QWEN3_MOE, QWEN35, OLMO2, OLMO3, GEMMA3 -> !(scaling instanceof RotaryScaling.Llama3);
            case GEMMA4 -> scaling instanceof RotaryScaling.Proportional proportional && proportional.factor() == 1;
            case GEMMA2, PHI3 -> false;
        };
        boolean plain = scaling instanceof RotaryScaling.Unscaled;
        require(plain || says && !windowed, "a rotary scaling that no key of this family says");
        require(
                architecture != GgufArchitecture.GEMMA2 || rotary.theta() == GEMMA2_THETA,
                "rope_theta %s, expected %s",
                rotary.theta(),
                GEMMA2_THETA);
        if (scaling instanceof RotaryScaling.Yarn yarn) {
            check(yarn);
        }
    }

    private void check(RotaryScaling.Yarn yarn) {
        double usual = RotaryScaling.Yarn.temperature(yarn.factor(), 1)
                / RotaryScaling.Yarn.temperature(yarn.factor(), scaleOfAll());
        require(
                Math.abs(yarn.attentionFactor() - usual) < PRECISION,
                "YaRN with an attention factor of %s, expected %s",
                yarn.attentionFactor(),
                usual);
        require(yarn.whole(), "YaRN with truncate=false");
    }

    /** What a key says of Ministral 3 only. */
    private double scaleOfAll() {
        return architecture == GgufArchitecture.MISTRAL3
                ? fields.object("rope_parameters").number("mscale_all_dim", 0)
                : 0;
    }

    /** The head size; the largest models of both generations divide by another number. */
    private void checkAttentionScale() {
        int largest = architecture == GgufArchitecture.GEMMA2 ? 46 : 62;
        double divisor = config.layers() == largest ? (double) config.hiddenSize() / config.heads() : config.headSize();
        double expected = 1 / Math.sqrt(divisor);
        require(
                Math.abs(config.attentionScale() - expected) < PRECISION * expected,
                "query_pre_attn_scalar %s, expected %s",
                Math.round(1 / (config.attentionScale() * config.attentionScale())),
                divisor);
    }

    private void note(String text) {
        if (!notes.contains(text)) {
            notes.add(text);
        }
    }

    private void require(boolean holds, String problem, Object... values) {
        String text = String.format(Locale.ROOT, problem, values);
        if (!holds && !problems.contains(text)) {
            problems.add(text);
        }
    }
}
