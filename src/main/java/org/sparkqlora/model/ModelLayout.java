package org.sparkqlora.model;

import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.sparkqlora.weights.ModelConfig;

/**
 * What of a model trains, and where it lies in the flat vector: adapters layer by layer in the order of {@link Projection}, A before
 * B before magnitude; or all weights, embedding first.
 */
final class ModelLayout {
    /** PEFT's path of the wrapped model. */
    private static final String ADAPTER_PREFIX = "base_model.model.";

    static final String DOWN_SUFFIX = ".lora_A.weight";
    static final String UP_SUFFIX = ".lora_B.weight";
    static final String MAGNITUDE_SUFFIX = ".lora_magnitude_vector";

    /** Norm weights of one layer; heads' norms only where the family has them. */
    record NormPlaces(
            @Nullable Parameter input,
            @Nullable Parameter postAttention,
            @Nullable Parameter query,
            @Nullable Parameter key) {
        static final NormPlaces FROZEN = new NormPlaces(null, null, null, null);
    }

    private final ModelConfig config;
    private final ParameterIndex.Builder builder = ParameterIndex.builder();
    private final List<Map<Projection, LinearPlace>> linears = new ArrayList<>();
    private final List<NormPlaces> norms = new ArrayList<>();
    private final @Nullable Parameter embedding;
    private final @Nullable Parameter finalNorm;
    private final @Nullable Parameter head;
    private final ParameterIndex index;

    ModelLayout(ModelConfig config, ModelSpec spec) {
        this.config = config;
        boolean full = spec.method() == Method.FULL;
        int hidden = config.hiddenSize();
        this.embedding = full ? builder.add(TensorNames.EMBEDDING, config.vocabularySize(), hidden) : null;
        for (int layer = 0; layer < config.layers(); layer++) {
            linears.add(full ? trainedLinears(layer) : adapters(layer, spec.lora()));
            norms.add(full ? trainedNorms(layer) : NormPlaces.FROZEN);
        }

        this.finalNorm = full ? builder.add(TensorNames.FINAL_NORM, hidden) : null;
        this.head = full && !config.tiedEmbeddings()
                ? builder.add(TensorNames.HEAD, config.vocabularySize(), hidden)
                : embedding;
        this.index = builder.build();
        if (spec.lora() != null && index.size() == 0) {
            throw new IllegalArgumentException(
                    "Cannot add adapters: %s matches no linear module; expected names such as q_proj, or all-linear"
                            .formatted(spec.lora().targets()));
        }
    }

    /** The path of the module that an adapter's tensor belongs to, as the base names it. */
    static String moduleOf(Parameter adapterTensor) {
        String name = adapterTensor.name();
        return name.substring(ADAPTER_PREFIX.length(), name.indexOf(".lora_"));
    }

    ParameterIndex index() {
        return index;
    }

    LinearPlace linear(int layer, Projection projection) {
        return linears.get(layer).getOrDefault(projection, LinearPlace.FROZEN);
    }

    NormPlaces norms(int layer) {
        return norms.get(layer);
    }

    @Nullable
    Parameter embedding() {
        return embedding;
    }

    @Nullable
    Parameter finalNorm() {
        return finalNorm;
    }

    /** The head's own weight, or the embedding's when they are tied. */
    @Nullable
    Parameter head() {
        return head;
    }

    private Map<Projection, LinearPlace> adapters(int layer, @Nullable LoraSpec lora) {
        Map<Projection, LinearPlace> places = new EnumMap<>(Projection.class);
        for (Projection projection : Projection.values()) {
            if (lora != null && lora.targets().matches(projection.path(layer))) {
                places.put(projection, new LinearPlace(null, null, adapter(projection, layer, lora)));
            }
        }

        return places;
    }

    private AdapterPlace adapter(Projection projection, int layer, LoraSpec lora) {
        String path = projection.path(layer);
        ProjectionShape shape = ProjectionShape.of(projection, config);
        int rank = lora.rankOf(path);
        Parameter down = builder.add(ADAPTER_PREFIX + path + DOWN_SUFFIX, rank, shape.inputs());
        Parameter up = builder.add(ADAPTER_PREFIX + path + UP_SUFFIX, shape.outputs(), rank);
        Parameter magnitude =
                lora.weightDecomposed() ? builder.add(ADAPTER_PREFIX + path + MAGNITUDE_SUFFIX, shape.outputs()) : null;
        return new AdapterPlace(down, up, magnitude, lora.scaleOf(path));
    }

    private Map<Projection, LinearPlace> trainedLinears(int layer) {
        Map<Projection, LinearPlace> places = new EnumMap<>(Projection.class);
        for (Projection projection : Projection.values()) {
            ProjectionShape shape = ProjectionShape.of(projection, config);
            String path = projection.path(layer);
            Parameter weight = builder.add(path + ".weight", shape.outputs(), shape.inputs());
            Parameter bias =
                    TensorNames.hasBias(config, projection) ? builder.add(path + ".bias", shape.outputs()) : null;
            places.put(projection, new LinearPlace(weight, bias, null));
        }

        return places;
    }

    private NormPlaces trainedNorms(int layer) {
        int hidden = config.hiddenSize();
        boolean ofHeads = TensorNames.hasHeadNorms(config);
        return new NormPlaces(
                builder.add(TensorNames.inputNorm(layer), hidden),
                builder.add(TensorNames.postAttentionNorm(layer), hidden),
                ofHeads ? builder.add(TensorNames.queryNorm(layer), config.headSize()) : null,
                ofHeads ? builder.add(TensorNames.keyNorm(layer), config.headSize()) : null);
    }
}
