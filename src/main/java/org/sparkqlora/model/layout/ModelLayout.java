package org.sparkqlora.model.layout;

import java.util.ArrayList;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.sparkqlora.input.BadInputException;
import org.sparkqlora.weights.family.DecoderTensors;
import org.sparkqlora.weights.family.DeltaTensor;
import org.sparkqlora.weights.family.LayerNorm;
import org.sparkqlora.weights.family.ModelConfig;
import org.sparkqlora.weights.family.PerLayerInput;
import org.sparkqlora.weights.family.Projection;
import org.sparkqlora.weights.family.ProjectionShape;
import org.sparkqlora.weights.family.TokenMixing;

/**
 * The trained parameters of a model and their order in the flat vector: adapters layer by layer in the order of {@link Projection}, A
 * before
 * B before magnitude, and after them the embedding and the head, where these train whole, and the head that scores texts; or all weights, embedding first.
 */
public final class ModelLayout {
    /** PEFT's path of the wrapped model. */
    static final String ADAPTER_PREFIX = "base_model.model.";

    public static final String DOWN_SUFFIX = ".lora_A.weight";
    public static final String UP_SUFFIX = ".lora_B.weight";
    public static final String MAGNITUDE_SUFFIX = ".lora_magnitude_vector";

    private final ModelConfig config;
    private final ParameterIndex.Builder builder = ParameterIndex.builder();
    private final List<Map<Projection, LinearPlace>> linears = new ArrayList<>();
    private final List<ExpertPlaces> experts = new ArrayList<>();
    private final List<Map<LayerNorm, Parameter>> norms = new ArrayList<>();
    private final List<Map<DeltaTensor, Parameter>> deltaTensors = new ArrayList<>();
    private final List<Optional<Parameter>> sinks = new ArrayList<>();
    private final @Nullable Parameter embedding;
    private final @Nullable Parameter finalNorm;
    private final @Nullable Parameter perLayerEmbedding;
    private final @Nullable Parameter perLayerNorm;
    private final @Nullable Parameter head;
    private final @Nullable Parameter score;
    private final ParameterIndex index;

    public ModelLayout(ModelConfig base, ModelSpec spec) {
        LoraSpec lora = spec.lora() == null ? null : spec.lora().on(base);
        SavedModules saved = lora == null ? SavedModules.NONE : lora.saved();
        requireBothResized(base, saved);
        requireExperts(base, spec);
        this.config = saved.sized(base);
        boolean full = spec.method() == Method.FULL;
        Parameter first = full ? matrix(DecoderTensors.EMBEDDING) : null;
        boolean inputs = full && config.traits().perLayer().isPresent();
        this.perLayerEmbedding = inputs
                ? builder.add(
                        PerLayerInput.EMBEDDING,
                        config.perLayer().vocabularySize(),
                        DecoderTensors.perLayerWidth(config))
                : null;
        this.perLayerNorm =
                inputs ? builder.add(PerLayerInput.NORM, config.perLayer().width()) : null;
        for (int layer = 0; layer < config.layers(); layer++) {
            linears.add(full ? trainedLinears(layer) : adapters(layer, lora));
            experts.add(expertPlaces(layer, spec.method(), lora));
            norms.add(full ? trainedNorms(layer) : Map.of());
            deltaTensors.add(full ? trainedDeltaTensors(layer) : Map.of());
            sinks.add(
                    full && config.traits().attentionSinks()
                            ? Optional.of(builder.add(DecoderTensors.sinks(layer), config.heads()))
                            : Optional.empty());
        }

        requireTargets(lora);
        this.finalNorm = full ? builder.add(DecoderTensors.NORM, config.hiddenSize()) : null;
        this.embedding = full ? first : savedEmbedding(saved);
        this.head = full ? fullHead(first) : savedHead(saved);
        this.score = saved.scores() ? builder.add(SavedModules.SCORE_KEY, saved.labels(), config.hiddenSize()) : null;
        this.index = builder.build();
    }

    /** The name of a parameter that is a whole weight in the base model. */
    public static String baseName(Parameter parameter) {
        String name = parameter.name();
        return name.startsWith(ADAPTER_PREFIX) ? name.substring(ADAPTER_PREFIX.length()) : name;
    }

    /** The path of the module that an adapter's tensor belongs to, as the base names it. */
    public static String moduleOf(Parameter adapterTensor) {
        String name = adapterTensor.name();
        return name.substring(ADAPTER_PREFIX.length(), name.indexOf(".lora_"));
    }

    public ParameterIndex index() {
        return index;
    }

    /** The config of the model, with as many tokens as its embedding and head have where they train. */
    public ModelConfig config() {
        return config;
    }

    public LinearPlace linear(int layer, Projection projection) {
        return linears.get(layer).getOrDefault(projection, LinearPlace.FROZEN);
    }

    /** The ranges of the adapters of linear modules, by the names of the modules' weights. */
    public Map<String, LinearPlace.Adapter> adapters() {
        Map<String, LinearPlace.Adapter> adapters = new LinkedHashMap<>();
        for (int layer = 0; layer < config.layers(); layer++) {
            for (Projection projection : Projection.of(config, layer)) {
                LinearPlace.Adapter place = linear(layer, projection).adapter();
                if (place != null) {
                    adapters.put(projection.path(layer) + ".weight", place);
                }
            }
        }

        return adapters;
    }

    /** The ranges of what trains of a layer's experts and their router. */
    public ExpertPlaces experts(int layer) {
        return experts.get(layer);
    }

    /** The ranges of the weights of a layer's norms, when they train. */
    public Map<LayerNorm, Parameter> norms(int layer) {
        return norms.get(layer);
    }

    /** The ranges of the other weights of a layer of the gated delta rule, when they train. */
    public Map<DeltaTensor, Parameter> deltaTensors(int layer) {
        return deltaTensors.get(layer);
    }

    /** The range of the sinks of a layer's attention, when they train. */
    public Optional<Parameter> sinks(int layer) {
        return sinks.get(layer);
    }

    public @Nullable Parameter embedding() {
        return embedding;
    }

    public @Nullable Parameter finalNorm() {
        return finalNorm;
    }

    /** The embedding of tokens for each layer, when it trains. */
    public @Nullable Parameter perLayerEmbedding() {
        return perLayerEmbedding;
    }

    /** Of the norm over what a projection makes for one layer, when it trains. */
    public @Nullable Parameter perLayerNorm() {
        return perLayerNorm;
    }

    /** The head's own weight, or the embedding's when they are tied. */
    public @Nullable Parameter head() {
        return head;
    }

    /** The weight of the head that scores texts; null where there is none. */
    public @Nullable Parameter score() {
        return score;
    }

    private void requireTargets(@Nullable LoraSpec lora) {
        boolean none =
                linears.stream().allMatch(Map::isEmpty) && experts.stream().noneMatch(ExpertPlaces::hasAdapters);
        if (lora != null && none) {
            throw new BadInputException(
                    "Cannot add adapters: %s matches no linear module; expected names such as q_proj, or all-linear"
                            .formatted(lora.targets().words()));
        }
    }

    private static void requireExperts(ModelConfig base, ModelSpec spec) {
        if (spec.routerLoss() > 0 && base.traits().mixture().isEmpty()) {
            throw new BadInputException(
                    "Cannot balance experts by a loss of weight %s: the model, of type %s, has none. Leave out --router-aux-loss-coef"
                            .formatted(spec.routerLoss(), base.modelType()));
        }
    }

    private static void requireBothResized(ModelConfig base, SavedModules saved) {
        if (saved.sized(base).vocabularySize() != base.vocabularySize()
                && base.traits().perLayer().isPresent()) {
            throw new BadInputException(
                    "Cannot resize a model of %d tokens to %d: its embeddings of each layer would need rows that are stored nowhere. Use tokens that the model has"
                            .formatted(base.vocabularySize(), saved.rows()));
        }

        boolean both = saved.trains(SavedModule.EMBEDDING, base) && saved.trains(SavedModule.HEAD, base);
        if (saved.sized(base).vocabularySize() != base.vocabularySize() && !both) {
            throw new BadInputException(
                    "Cannot resize a model of %d tokens to %d: expected modules to save %s, found %s; new rows of a matrix that does not train are stored nowhere"
                            .formatted(
                                    base.vocabularySize(),
                                    saved.rows(),
                                    SavedModule.optionNames(),
                                    saved.modules().stream()
                                            .map(SavedModule::optionName)
                                            .toList()));
        }
    }

    private @Nullable Parameter fullHead(@Nullable Parameter tied) {
        return config.tiedEmbeddings() ? tied : matrix(DecoderTensors.HEAD);
    }

    private @Nullable Parameter savedEmbedding(SavedModules saved) {
        return saved.trains(SavedModule.EMBEDDING, config) ? matrix(SavedModule.EMBEDDING.adapterKey()) : null;
    }

    private @Nullable Parameter savedHead(SavedModules saved) {
        String name = SavedModule.HEAD.adapterKey();
        if (saved.trainsAsOne(config) && embedding != null) {
            return builder.alias(name, embedding);
        }

        return saved.trains(SavedModule.HEAD, config) ? matrix(name) : null;
    }

    private Parameter matrix(String name) {
        return builder.add(name, config.vocabularySize(), config.hiddenSize());
    }

    private Map<Projection, LinearPlace> adapters(int layer, @Nullable LoraSpec lora) {
        Map<Projection, LinearPlace> places = new EnumMap<>(Projection.class);
        for (Projection projection : Projection.of(config, layer)) {
            if (lora != null && lora.targets().matches(projection.path(layer))) {
                places.put(projection, new LinearPlace(null, null, adapter(projection, layer, lora)));
            }
        }

        return places;
    }

    private ExpertPlaces expertPlaces(int layer, Method method, @Nullable LoraSpec lora) {
        if (!config.isMixture(layer)) {
            return ExpertPlaces.NONE;
        }

        return method == Method.FULL
                ? ExpertPlaces.whole(config, layer, builder)
                : ExpertPlaces.adapters(config, layer, lora, builder);
    }

    private LinearPlace.Adapter adapter(Projection projection, int layer, LoraSpec lora) {
        String path = projection.path(layer);
        ProjectionShape shape = ProjectionShape.of(projection, config, layer);
        int rank = lora.rankOf(path);
        Parameter down = builder.add(ADAPTER_PREFIX + path + DOWN_SUFFIX, rank, shape.inputs());
        Parameter up = builder.add(ADAPTER_PREFIX + path + UP_SUFFIX, shape.outputs(), rank);
        Parameter magnitude =
                lora.weightDecomposed() ? builder.add(ADAPTER_PREFIX + path + MAGNITUDE_SUFFIX, shape.outputs()) : null;
        return new LinearPlace.Adapter(down, up, magnitude, lora.scaleOf(path));
    }

    private Map<Projection, LinearPlace> trainedLinears(int layer) {
        Map<Projection, LinearPlace> places = new EnumMap<>(Projection.class);
        for (Projection projection : Projection.of(config, layer)) {
            ProjectionShape shape = ProjectionShape.of(projection, config, layer);
            String path = projection.path(layer);
            Parameter weight = builder.add(path + ".weight", shape.outputs(), shape.inputs());
            Parameter bias = projection.isBiased(config) ? builder.add(path + ".bias", shape.outputs()) : null;
            places.put(projection, new LinearPlace(weight, bias, null));
        }

        return places;
    }

    private Map<DeltaTensor, Parameter> trainedDeltaTensors(int layer) {
        Map<DeltaTensor, Parameter> places = new EnumMap<>(DeltaTensor.class);
        if (config.mixing(layer) == TokenMixing.DELTA_NET) {
            for (DeltaTensor tensor : DeltaTensor.values()) {
                places.put(tensor, builder.add(tensor.path(layer), tensor.shape(config.deltaNet())));
            }
        }

        return places;
    }

    private Map<LayerNorm, Parameter> trainedNorms(int layer) {
        Map<LayerNorm, Parameter> places = new EnumMap<>(LayerNorm.class);
        for (LayerNorm norm : LayerNorm.values()) {
            DecoderTensors.norm(norm, layer, config)
                    .ifPresent(
                            name -> places.put(norm, builder.add(name, DecoderTensors.normWidth(norm, layer, config))));
        }

        return places;
    }
}
