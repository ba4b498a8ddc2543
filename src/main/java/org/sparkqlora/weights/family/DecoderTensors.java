package org.sparkqlora.weights.family;

import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import java.util.stream.Stream;
import org.sparkqlora.input.BadInputException;

/** Names and shapes of the weights that a config asks for, layer by layer. */
public final class DecoderTensors {
    public static final String EMBEDDING = "model.embed_tokens.weight";
    public static final String NORM = "model.norm.weight";
    public static final String HEAD = "lm_head.weight";

    /** Of sequence classification, in place of the head that predicts tokens. */
    public static final String SCORE = "score.weight";

    private final ModelConfig config;
    private final Map<String, long[]> shapes = new LinkedHashMap<>();
    private final List<String> projections = new ArrayList<>();

    private DecoderTensors(ModelConfig config) {
        this.config = config;
        shapes.put(EMBEDDING, new long[] {config.vocabularySize(), config.hiddenSize()});
        config.traits().perLayer().ifPresent(input -> {
            shapes.put(PerLayerInput.EMBEDDING, new long[] {input.vocabularySize(), perLayerWidth(config)});
            shapes.put(PerLayerInput.NORM, new long[] {input.width()});
        });
        for (int layer = 0; layer < config.layers(); layer++) {
            addLayer(layer);
        }

        shapes.put(NORM, new long[] {config.hiddenSize()});
        if (!config.tiedEmbeddings()) {
            shapes.put(HEAD, new long[] {config.vocabularySize(), config.hiddenSize()});
        }
    }

    /** Width of the embedding that all layers have a part of. */
    public static long perLayerWidth(ModelConfig config) {
        return (long) config.layers() * config.perLayer().width();
    }

    public static DecoderTensors of(ModelConfig config) {
        return new DecoderTensors(config);
    }

    /** Shapes by name. */
    public Map<String, long[]> shapes() {
        return Collections.unmodifiableMap(shapes);
    }

    /** Number of all weights. */
    public long elements() {
        return shapes.values().stream().mapToLong(DecoderTensors::elements).sum();
    }

    /** Number of weights of a tensor. */
    public long elements(String name) {
        long[] shape = shapes.get(name);
        if (shape == null) {
            throw new BadInputException("Cannot count the weights of %s: the model has none such".formatted(name));
        }

        return elements(shape);
    }

    private static long elements(long[] shape) {
        return LongStream.of(shape).reduce(1, Math::multiplyExact);
    }

    /** Weights of the linear modules of every layer: what is held in four bits. */
    public List<String> projections() {
        return List.copyOf(projections);
    }

    /** The name of a norm's weight; nothing where the model has no such norm. */
    public static Optional<String> norm(LayerNorm norm, int layer, ModelConfig config) {
        boolean turned =
                config.traits().queryKeyNorm() != QueryKeyNorm.NONE && config.mixing(layer) == TokenMixing.ATTENTION;
        Optional<String> module = switch (norm) {
            case QUERY -> turned ? Optional.of("self_attn.q_norm") : Optional.empty();
            case KEY -> turned && config.keysOf(layer) == layer ? Optional.of("self_attn.k_norm") : Optional.empty();
            case AFTER_PER_LAYER -> config.traits().perLayer().map(input -> "post_per_layer_input_norm");
            case BEFORE_ATTENTION, AFTER_ATTENTION, BEFORE_FEED_FORWARD, AFTER_FEED_FORWARD ->
                config.traits().norms().nameOf(norm);
        };
        return module.map(name -> String.format(Locale.ROOT, "model.layers.%d.%s.weight", layer, name));
    }

    /** The name of the weight of a mixture's router, (experts, hidden). */
    public static String routerWeight(ModelConfig config, int layer) {
        return ExpertMatrix.router(config, layer) + ".weight";
    }

    /** The name of the bias of a mixture's router, (experts); of families that have one. */
    public static String routerBias(ModelConfig config, int layer) {
        return ExpertMatrix.router(config, layer) + ".bias";
    }

    /** The name of the sinks of attention, (heads). */
    public static String sinks(int layer) {
        return String.format(Locale.ROOT, "model.layers.%d.self_attn.sinks", layer);
    }

    /** Weights of the linear modules that each token meets: of experts as many as it goes to. */
    public long activeProjectionElements() {
        long experts = IntStream.range(0, config.layers())
                .filter(config::isMixture)
                .mapToLong(
                        layer -> config.mixture().experts() - config.mixture().perToken())
                .sum();
        long unused = config.traits().mixture().isPresent() ? experts * expertElements(config) : 0;
        return projections.stream().mapToLong(this::elements).sum() - unused;
    }

    /** Number of the weights that a token meets: of experts as many as it goes to. */
    public long activeElements() {
        long projected = projections.stream().mapToLong(this::elements).sum();
        return elements() - projected + activeProjectionElements() - unusedBiases();
    }

    /** Of experts that a token does not go to. */
    private long unusedBiases() {
        if (config.traits().mixture().isEmpty() || !config.mixture().modules().isBiased()) {
            return 0;
        }

        long width = Stream.of(ExpertBias.values())
                .mapToLong(bias -> bias.width(config))
                .sum();
        int unused = config.mixture().experts() - config.mixture().perToken();
        return width
                * unused
                * IntStream.range(0, config.layers()).filter(config::isMixture).count();
    }

    /** Weights of one expert. */
    public static long expertElements(ModelConfig config) {
        return Stream.of(ExpertMatrix.values())
                .mapToLong(matrix -> matrix.shape(config).elements())
                .sum();
    }

    /** The number of elements of a norm's weight. */
    public static long normWidth(LayerNorm norm, int layer, ModelConfig config) {
        boolean ofHead = config.traits().queryKeyNorm() == QueryKeyNorm.EACH_HEAD;
        return switch (norm) {
            case QUERY -> ofHead ? config.headSize(layer) : config.querySize(layer);
            case KEY -> ofHead ? config.headSize(layer) : config.keyValueSize(layer);
            case BEFORE_ATTENTION, AFTER_ATTENTION, BEFORE_FEED_FORWARD, AFTER_FEED_FORWARD, AFTER_PER_LAYER ->
                config.hiddenSize();
        };
    }

    private void addLayer(int layer) {
        for (Projection projection : Projection.of(config, layer)) {
            addProjection(projection, layer);
        }

        if (config.isMixture(layer)) {
            addExperts(layer);
        }

        if (config.mixing(layer) == TokenMixing.DELTA_NET) {
            for (DeltaTensor tensor : DeltaTensor.values()) {
                shapes.put(tensor.path(layer), tensor.shape(config.deltaNet()));
            }
        }

        if (config.traits().attentionSinks()) {
            shapes.put(sinks(layer), new long[] {config.heads()});
        }

        addScalar(layer);
        for (LayerNorm norm : LayerNorm.values()) {
            norm(norm, layer, config).ifPresent(name -> shapes.put(name, new long[] {normWidth(norm, layer, config)}));
        }
    }

    /** Each expert's matrices are quantised one by one; the router stays as it is. */
    private void addExperts(int layer) {
        long experts = config.mixture().experts();
        shapes.put(routerWeight(config, layer), new long[] {experts, config.hiddenSize()});
        if (config.mixture().modules().isBiased()) {
            shapes.put(routerBias(config, layer), new long[] {experts});
            for (ExpertBias bias : ExpertBias.values()) {
                shapes.put(bias.path(layer), new long[] {experts, bias.width(config)});
            }
        }

        for (int expert = 0; expert < config.mixture().experts(); expert++) {
            for (ExpertMatrix matrix : ExpertMatrix.values()) {
                ProjectionShape shape = matrix.shape(config);
                String weight = matrix.weight(layer, expert);
                shapes.put(weight, new long[] {shape.outputs(), shape.inputs()});
                projections.add(weight);
            }
        }
    }

    private void addScalar(int layer) {
        if (config.traits().layerScalars()) {
            shapes.put(PerLayerInput.scalar(layer), new long[] {1});
        }
    }

    private void addProjection(Projection projection, int layer) {
        String module = projection.path(layer);
        ProjectionShape shape = ProjectionShape.of(projection, config, layer);
        shapes.put(module + ".weight", new long[] {shape.outputs(), shape.inputs()});
        projections.add(module + ".weight");
        if (projection.isBiased(config)) {
            shapes.put(module + ".bias", new long[] {shape.outputs()});
        }
    }
}
