package org.sparkqlora.model;

import java.util.EnumMap;
import java.util.Map;
import org.bytedeco.pytorch.Tensor;
import org.jspecify.annotations.Nullable;
import org.sparkqlora.weights.ModelConfig;

/** One decoder layer between passes: what is frozen, and where what trains lies in the flat vector. */
final class DecoderLayer {
    /** A linear module: its frozen weight and bias (null when they train or do not exist) and what of it trains. */
    record Module(@Nullable BaseMatrix weight, @Nullable Tensor bias, LinearPlace place) {}

    /** A norm weight: frozen, or at a place in the flat vector. */
    record NormWeight(@Nullable Tensor frozen, @Nullable Parameter place) {
        Normalization open(BoundParameters parameters, double epsilon) {
            if (place != null) {
                return new Normalization(parameters.of(place), place, epsilon);
            }

            if (frozen == null) {
                throw new IllegalStateException("Cannot normalise without a weight");
            }

            return new Normalization(frozen, null, epsilon);
        }
    }

    /** The norms of a layer; those of single heads only in families that have them. */
    record Norms(
            NormWeight input,
            NormWeight postAttention,
            @Nullable NormWeight query,
            @Nullable NormWeight key) {}

    private final ModelConfig config;
    private final Map<Projection, Module> modules;
    private final Norms norms;

    DecoderLayer(ModelConfig config, Map<Projection, Module> modules, Norms norms) {
        this.config = config;
        this.modules = new EnumMap<>(modules);
        this.norms = norms;
    }

    /** Takes the layer's weights in hand; valid until the workspace opens another layer. */
    LayerPass open(BoundParameters parameters, Workspace workspace, @Nullable Dropout dropout) {
        double epsilon = config.normEpsilon();
        AttentionBlock attention = new AttentionBlock(
                norms.input().open(parameters, epsilon),
                linear(Projection.QUERY, parameters, workspace, dropout),
                linear(Projection.KEY, parameters, workspace, dropout),
                linear(Projection.VALUE, parameters, workspace, dropout),
                linear(Projection.OUTPUT, parameters, workspace, dropout),
                norms.query() == null ? null : norms.query().open(parameters, epsilon),
                norms.key() == null ? null : norms.key().open(parameters, epsilon),
                config.headSize());
        FeedForwardBlock feedForward = new FeedForwardBlock(
                norms.postAttention().open(parameters, epsilon),
                linear(Projection.GATE, parameters, workspace, dropout),
                linear(Projection.UP, parameters, workspace, dropout),
                linear(Projection.DOWN, parameters, workspace, dropout));
        return new LayerPass(attention, feedForward);
    }

    private LinearPass linear(
            Projection projection, BoundParameters parameters, Workspace workspace, @Nullable Dropout dropout) {
        Module module = modules.get(projection);
        if (module == null) {
            throw new IllegalStateException("Cannot open a layer without %s".formatted(projection));
        }

        LinearPlace place = module.place();
        Tensor weight = module.weight() == null
                ? parameters.of(required(place.weight(), projection))
                : workspace.materialize(projection, module.weight());
        Tensor bias = place.bias() == null ? module.bias() : parameters.of(place.bias());
        BoundAdapter adapter =
                place.adapter() == null ? null : BoundAdapter.of(place.adapter(), weight, parameters, dropout);
        return new LinearPass(weight, bias, place, adapter);
    }

    private static Parameter required(@Nullable Parameter place, Projection projection) {
        if (place == null) {
            throw new IllegalStateException("Cannot open %s: it is neither frozen nor trained".formatted(projection));
        }

        return place;
    }
}
