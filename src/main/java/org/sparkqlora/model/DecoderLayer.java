package org.sparkqlora.model;

import java.util.Arrays;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Stream;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.jspecify.annotations.Nullable;
import org.sparkqlora.model.adapter.BoundAdapter;
import org.sparkqlora.model.adapter.Dropout;
import org.sparkqlora.model.elementwise.AttentionSinks;
import org.sparkqlora.model.elementwise.ClampedGate;
import org.sparkqlora.model.elementwise.Gate;
import org.sparkqlora.model.elementwise.GatedActivation;
import org.sparkqlora.model.layout.ExpertPlaces;
import org.sparkqlora.model.layout.LinearPlace;
import org.sparkqlora.model.layout.ModelLayout;
import org.sparkqlora.model.layout.Parameter;
import org.sparkqlora.tensor.BaseMatrix;
import org.sparkqlora.tensor.Hardware;
import org.sparkqlora.weights.family.DeltaTensor;
import org.sparkqlora.weights.family.LayerNorm;
import org.sparkqlora.weights.family.ModelConfig;
import org.sparkqlora.weights.family.Projection;
import org.sparkqlora.weights.family.ProjectionShape;

/** One decoder layer between passes: what is frozen, and where what trains lies in the flat vector. */
final class DecoderLayer {
    /** A linear module: its frozen weight and bias (null when they train or do not exist) and what of it trains. */
    record Module(@Nullable BaseMatrix weight, @Nullable Tensor bias, LinearPlace place) {}

    /** A weight of no linear module: frozen, or at a place in the flat vector. */
    record SmallWeight(@Nullable Tensor frozen, @Nullable Parameter place) {
        Tensor of(BoundParameters parameters) {
            Tensor weight = place == null ? frozen : parameters.of(place);
            if (weight == null) {
                throw new IllegalStateException("Cannot find a weight that is neither frozen nor trained");
            }

            return weight;
        }

        /** The norm whose weight it is. */
        Normalization norm(BoundParameters parameters, ModelConfig config, Hardware hardware) {
            Tensor weight = of(parameters);
            Tensor factor = config.traits().normsCountFromZero() ? weight.add(new Scalar(1.0)) : weight;
            return new Normalization(factor, place, config.normEpsilon(), hardware);
        }
    }

    /**
     * The weights of a layer that are not those of linear modules.
     *
     * @param deltaTensors empty where the layer is one of attention
     * @param table what the inputs of all layers are made of; null in all layers but the first of a model that has them
     * @param scalar factor on the layer's output
     * @param sinks of attention; null where it has none
     * @param experts null where the layer has none
     */
    record Others(
            Map<LayerNorm, SmallWeight> norms,
            Map<DeltaTensor, SmallWeight> deltaTensors,
            PerLayerSource.@Nullable Table table,
            double scalar,
            @Nullable SmallWeight sinks,
            ExpertsBlock.@Nullable Weights experts) {
        private Others with(ExpertPlaces places) {
            return experts == null ? this : new Others(norms, deltaTensors, table, scalar, sinks, experts.with(places));
        }
    }

    private final ModelConfig config;
    private final int index;
    private final Map<Projection, Module> modules;
    private final Others others;

    DecoderLayer(ModelConfig config, int index, Map<Projection, Module> modules, Others others) {
        this.config = config;
        this.index = index;
        this.modules = new EnumMap<>(modules);
        this.others = others;
    }

    /** This layer with the adapters of {@code layout} in place of its own. */
    DecoderLayer adapted(ModelLayout layout) {
        Map<Projection, Module> adapted = new EnumMap<>(Projection.class);
        modules.forEach((projection, module) ->
                adapted.put(projection, new Module(module.weight(), module.bias(), layout.linear(index, projection))));
        return new DecoderLayer(layout.config(), index, adapted, others.with(layout.experts(index)));
    }

    /** Its number, from 0 at the bottom. */
    int index() {
        return index;
    }

    /**
     * Takes the layer's weights in hand; valid until the workspace opens another layer.
     *
     * @param dropout of adapters' inputs; null where nothing is dropped
     */
    LayerPass open(BoundParameters parameters, Workspace workspace, PassContext context, @Nullable Dropout dropout) {
        return workspace.open(
                new Workspace.LayerWeights(index, parameters, dropout != null),
                opened -> new Opening(parameters, opened, dropout).pass(context.layer(index), workspace));
    }

    /** Takes weights in hand for one pass. */
    private final class Opening {
        private final BoundParameters parameters;
        private final Workspace workspace;
        private final @Nullable Dropout dropout;

        private Opening(BoundParameters parameters, Workspace workspace, @Nullable Dropout dropout) {
            this.parameters = parameters;
            this.workspace = workspace;
            this.dropout = dropout;
        }

        /** @param own workspace of the pass, where experts are opened one by one */
        private LayerPass pass(PassContext.Layer context, Workspace own) {
            FeedForward feedForward =
                    others.experts() == null ? feedForward() : experts(others.experts(), context, own);
            return new LayerPass(mixer(), feedForward, source(), perLayer(), others.scalar(), context);
        }

        private FeedForward feedForward() {
            return new FeedForwardBlock(
                    branch(LayerNorm.BEFORE_FEED_FORWARD, LayerNorm.AFTER_FEED_FORWARD),
                    gateUp(),
                    shared(config.traits().feedForward().down()),
                    activation());
        }

        private FeedForward experts(ExpertsBlock.Weights weights, PassContext.Layer context, Workspace own) {
            Gate gate = config.mixture().clamp().<Gate>map(ClampedGate::new).orElseGet(this::activation);
            return ExpertsBlock.of(
                    branch(LayerNorm.BEFORE_FEED_FORWARD, LayerNorm.AFTER_FEED_FORWARD),
                    weights,
                    new ExpertsBlock.Source(config, parameters, own),
                    gate,
                    context.routerBalance(),
                    context.batch().tokens());
        }

        private GatedActivation activation() {
            return new GatedActivation(config.traits().activation(), workspace.hardware());
        }

        private @Nullable PerLayerSource source() {
            PerLayerSource.Table table = others.table();
            return table == null
                    ? null
                    : new PerLayerSource(
                            shared(Projection.PER_LAYER_INPUTS),
                            table.norm().norm(parameters, config, workspace.hardware()),
                            table.embedding(parameters, workspace.hardware()),
                            1 / Math.sqrt(config.hiddenSize()));
        }

        private @Nullable PerLayerBlock perLayer() {
            return config.traits().perLayer().isEmpty()
                    ? null
                    : new PerLayerBlock(
                            new ResidualBranch(null, norm(LayerNorm.AFTER_PER_LAYER), 1),
                            shared(Projection.PER_LAYER_GATE),
                            shared(Projection.PER_LAYER_OUTPUT),
                            activation(),
                            index);
        }

        private TokenMixer mixer() {
            ResidualBranch branch = branch(LayerNorm.BEFORE_ATTENTION, LayerNorm.AFTER_ATTENTION);
            return switch (config.mixing(index)) {
                case ATTENTION -> attention(branch);
                case DELTA_NET -> deltaNet(branch);
            };
        }

        private AttentionBlock attention(ResidualBranch branch) {
            return new AttentionBlock(
                    branch,
                    queryKeyValue(),
                    shared(Projection.OUTPUT),
                    new AttentionBlock.HeadNorms(norm(LayerNorm.QUERY), norm(LayerNorm.KEY), valueNorm()),
                    new AttentionBlock.Kind(
                            config.headSize(index), config.traits().gatedAttention(), config.keyValues(index)),
                    sinks());
        }

        private AttentionBlock.@Nullable Sinks sinks() {
            SmallWeight weight = others.sinks();
            return weight == null
                    ? null
                    : new AttentionBlock.Sinks(
                            AttentionSinks.of(weight.of(parameters), workspace.hardware()), weight.place());
        }

        private @Nullable Normalization valueNorm() {
            return config.traits().valueNorm() && config.keysOf(index) == index
                    ? Normalization.unweighted(config.headSize(index), config.normEpsilon(), workspace.hardware())
                    : null;
        }

        private DeltaNetBlock deltaNet(ResidualBranch branch) {
            Map<DeltaTensor, Tensor> weights = new EnumMap<>(DeltaTensor.class);
            Map<DeltaTensor, Parameter> places = new EnumMap<>(DeltaTensor.class);
            others.deltaTensors().forEach((tensor, weight) -> {
                weights.put(tensor, weight.of(parameters));
                if (weight.place() != null) {
                    places.put(tensor, weight.place());
                }
            });
            return new DeltaNetBlock(
                    branch,
                    shared(
                            Projection.DELTA_QUERY_KEY_VALUE,
                            Projection.DELTA_GATE,
                            Projection.DELTA_BETA,
                            Projection.DELTA_DECAY),
                    shared(Projection.DELTA_OUTPUT),
                    weights,
                    places);
        }

        private LinearGroup queryKeyValue() {
            if (config.traits().fusedAttention()) {
                return new LinearGroup.Fused(
                        shared(Projection.FUSED_ATTENTION),
                        List.of(config.querySize(index), config.keyValueSize(index), config.keyValueSize(index)));
            }

            return shared(Stream.of(Projection.QUERY, Projection.KEY, Projection.VALUE)
                    .filter(modules::containsKey)
                    .toArray(Projection[]::new));
        }

        private LinearGroup gateUp() {
            List<Projection> modules = config.traits().feedForward().gateUp();
            LinearGroup group = shared(modules.toArray(new Projection[0]));
            return modules.size() == 1
                    ? new LinearGroup.Fused(
                            group, List.of(config.intermediateSize(index), config.intermediateSize(index)))
                    : group;
        }

        /** Modules of one and the same input. */
        private LinearGroup shared(Projection... projections) {
            boolean joined = workspace.hardware().isHostAccessible()
                    && dropout == null
                    && Arrays.stream(projections).allMatch(projection -> isJoinable(module(projection)))
                    && Arrays.stream(projections)
                            .anyMatch(projection -> module(projection).place().adapter() != null);
            return joined
                    ? FusedLoraLinears.of(
                            Arrays.stream(projections).map(this::source).toList(), parameters, workspace)
                    : new LinearGroup.Separate(
                            Arrays.stream(projections).map(this::linear).toList());
        }

        private static boolean isJoinable(Module module) {
            LinearPlace.Adapter adapter = module.place().adapter();
            return module.weight() != null && (adapter == null || adapter.magnitude() == null);
        }

        private ResidualBranch branch(LayerNorm before, LayerNorm after) {
            return new ResidualBranch(norm(before), norm(after), config.traits().residualMultiplier());
        }

        private @Nullable Normalization norm(LayerNorm norm) {
            SmallWeight weight = others.norms().get(norm);
            return weight == null ? null : weight.norm(parameters, config, workspace.hardware());
        }

        private FusedLoraLinears.Source source(Projection projection) {
            Module module = module(projection);
            return new FusedLoraLinears.Source(
                    projection,
                    ProjectionShape.of(projection, config, index),
                    Objects.requireNonNull(module.weight()),
                    bias(module),
                    module.place());
        }

        private LinearPass linear(Projection projection) {
            Module module = module(projection);
            LinearPlace place = module.place();
            Tensor weight = module.weight() == null
                    ? parameters.of(required(place.weight(), projection))
                    : workspace.materialize(projection, ProjectionShape.of(projection, config, index), module.weight());
            BoundAdapter adapter =
                    place.adapter() == null ? null : BoundAdapter.of(place.adapter(), weight, parameters::of, dropout);
            return new LinearPass(weight, bias(module), place, adapter);
        }

        private @Nullable Tensor bias(Module module) {
            Parameter trained = module.place().bias();
            return trained == null ? module.bias() : parameters.of(trained);
        }
    }

    private Module module(Projection projection) {
        Module module = modules.get(projection);
        if (module == null) {
            throw new IllegalStateException("Cannot open a layer without %s".formatted(projection));
        }

        return module;
    }

    private static Parameter required(@Nullable Parameter place, Projection projection) {
        if (place == null) {
            throw new IllegalStateException("Cannot open %s: it is neither frozen nor trained".formatted(projection));
        }

        return place;
    }
}
