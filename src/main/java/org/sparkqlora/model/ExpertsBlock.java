package org.sparkqlora.model;

import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.jspecify.annotations.Nullable;
import org.sparkqlora.model.adapter.TargetParameters;
import org.sparkqlora.model.elementwise.Gate;
import org.sparkqlora.model.experts.Expert;
import org.sparkqlora.model.experts.ExpertAdapter;
import org.sparkqlora.model.experts.ExpertBiases;
import org.sparkqlora.model.experts.ExpertRows;
import org.sparkqlora.model.experts.FrozenExperts;
import org.sparkqlora.model.experts.GateUpRows;
import org.sparkqlora.model.experts.RouterBalance;
import org.sparkqlora.model.experts.Routing;
import org.sparkqlora.tensor.Hardware;
import org.sparkqlora.tensor.TensorMemory;
import org.sparkqlora.tensor.TensorScope;
import org.sparkqlora.weights.family.DecoderTensors;
import org.sparkqlora.weights.family.ExpertBias;
import org.sparkqlora.weights.family.ExpertMatrix;
import org.sparkqlora.weights.family.ModelConfig;
import org.sparkqlora.weights.family.Projection;
import org.sparkqlora.weights.family.ProjectionShape;

/**
 * A mixture of experts: {@code y = sum of w_e expert_e(x)} over the experts that the router gives a token to. Expert by expert, in their
 * order: its tokens are gathered, its weights brought to full width in one buffer, and its output added to the tokens' sums, which are
 * float32. An expert that no token goes to is not read. What lies within an expert is computed again for the gradient.
 *
 * @param tokens of documents; rows behind them go to no expert
 */
record ExpertsBlock(
        ResidualBranch branch,
        LinearPass router,
        Expert.Adapters adapters,
        @Nullable ExpertBiases biases,
        Weights weights,
        Source source,
        Gate activation,
        RouterBalance.OfLayer balance,
        int tokens)
        implements FeedForward {
    /** What of a layer's mixture is frozen between passes, and where the rest lies in the flat vector. */
    record Weights(FrozenExperts frozen, Places places) {
        Weights with(Places others) {
            return new Weights(frozen, others);
        }
    }

    /** The ranges of the biases of all experts. */
    record Biases(Parameter gateUp, Parameter down) {
        private static Biases of(ModelConfig config, int layer, ParameterIndex.Builder builder) {
            long experts = config.mixture().experts();
            return new Biases(
                    builder.add(ExpertBias.GATE_UP.path(layer), experts, ExpertBias.GATE_UP.width(config)),
                    builder.add(ExpertBias.DOWN.path(layer), experts, ExpertBias.DOWN.width(config)));
        }
    }

    /**
     * The ranges of what trains of a layer's mixture.
     *
     * @param gateUp the adapters of gate and up of all experts
     * @param down the adapters of down
     * @param experts all matrices, when all weights train
     * @param biases of all experts, when all weights train
     */
    record Places(
            LinearPlace router,
            LinearPlace.@Nullable Adapter gateUp,
            LinearPlace.@Nullable Adapter down,
            List<Map<ExpertMatrix, Parameter>> experts,
            @Nullable Biases biases) {
        static final Places NONE = new Places(LinearPlace.FROZEN, null, null, List.of(), null);

        private Parameter expert(int expert, ExpertMatrix matrix) {
            return Objects.requireNonNull(experts.get(expert).get(matrix));
        }

        boolean hasAdapters() {
            return gateUp != null || down != null || router.adapter() != null;
        }

        static Places whole(ModelConfig config, int layer, ParameterIndex.Builder builder) {
            long all = config.mixture().experts();
            boolean biased = config.mixture().modules().isBiased();
            Parameter router = builder.add(DecoderTensors.routerWeight(config, layer), all, config.hiddenSize());
            Parameter routerBias = biased ? builder.add(DecoderTensors.routerBias(config, layer), all) : null;
            List<Map<ExpertMatrix, Parameter>> experts = new ArrayList<>();
            for (int expert = 0; expert < config.mixture().experts(); expert++) {
                Map<ExpertMatrix, Parameter> matrices = new EnumMap<>(ExpertMatrix.class);
                for (ExpertMatrix matrix : ExpertMatrix.values()) {
                    ProjectionShape shape = matrix.shape(config);
                    matrices.put(matrix, builder.add(matrix.weight(layer, expert), shape.outputs(), shape.inputs()));
                }

                experts.add(matrices);
            }

            Biases biases = biased ? Biases.of(config, layer, builder) : null;
            return new Places(new LinearPlace(router, routerBias, null), null, null, experts, biases);
        }

        /** PEFT wraps the parameters of one module one in the other, the first one innermost. */
        static Places adapters(ModelConfig config, int layer, @Nullable LoraSpec lora, ParameterIndex.Builder builder) {
            if (lora == null) {
                return NONE;
            }

            String path = ExpertMatrix.experts(layer);
            String gateUp = path + "." + TargetParameters.GATE_UP;
            String down = path + "." + TargetParameters.DOWN;
            boolean both =
                    lora.parameters().matches(gateUp) && lora.parameters().matches(down);
            int experts = config.mixture().experts();
            int width = config.mixture().width();
            int hidden = config.hiddenSize();
            Adapting adapting = new Adapting(lora, builder);
            return new Places(
                    new LinearPlace(
                            null,
                            null,
                            adapting.adapter(
                                    DecoderTensors.routerWeight(config, layer),
                                    ExpertMatrix.router(config, layer),
                                    1,
                                    experts,
                                    hidden)),
                    adapting.adapter(gateUp, both ? path + ".base_layer" : path, experts, 2 * width, hidden),
                    adapting.adapter(down, path, experts, hidden, width),
                    List.of(),
                    null);
        }

        private record Adapting(LoraSpec lora, ParameterIndex.Builder builder) {
            private LinearPlace.@Nullable Adapter adapter(
                    String parameter, String module, int experts, int outputs, int inputs) {
                if (!lora.parameters().matches(parameter)) {
                    return null;
                }

                String name = ModelLayout.ADAPTER_PREFIX + module;
                int ranks = experts * lora.rankOf(parameter);
                return new LinearPlace.Adapter(
                        builder.add(name + ModelLayout.DOWN_SUFFIX, ranks, inputs),
                        builder.add(name + ModelLayout.UP_SUFFIX, outputs, ranks),
                        null,
                        lora.scaleOf(parameter));
            }
        }
    }

    /** Where an expert's weights come from during a pass. */
    record Source(ModelConfig config, BoundParameters parameters, Workspace workspace) {
        private Hardware hardware() {
            return workspace.hardware();
        }

        private Tensor router(Weights weights) {
            Parameter place = weights.places().router().weight();
            return place == null ? Objects.requireNonNull(weights.frozen().router()) : parameters.of(place);
        }

        private @Nullable Tensor routerBias(Weights weights) {
            Parameter place = weights.places().router().bias();
            return place == null ? weights.frozen().routerBias() : parameters.of(place);
        }

        private @Nullable ExpertBiases biases(Weights weights) {
            Biases places = weights.places().biases();
            return places == null
                    ? weights.frozen().biases()
                    : ExpertBiases.of(rows(), parameters.of(places.gateUp()), parameters.of(places.down()));
        }

        private @Nullable ExpertAdapter adapter(LinearPlace.@Nullable Adapter place, GateUpRows order) {
            return place == null
                    ? null
                    : ExpertAdapter.of(
                            parameters.of(place.down()),
                            order.apart(parameters.of(place.up())),
                            config.mixture().experts(),
                            place.scale());
        }

        private GateUpRows rows() {
            return GateUpRows.of(config.mixture().modules());
        }

        /** Gate above up. */
        private Tensor gateUp(Weights weights, int expert) {
            ProjectionShape shape = ExpertMatrix.GATE.shape(config);
            int outputs = shape.outputs();
            Tensor buffer = workspace.matrix(
                    Projection.FUSED_GATE, 2L * outputs, shape.inputs(), List.of(ExpertMatrix.GATE, shape));
            write(weights, expert, ExpertMatrix.GATE, buffer.narrow(0, 0, outputs));
            write(weights, expert, ExpertMatrix.UP, buffer.narrow(0, outputs, outputs));
            return buffer;
        }

        private Tensor down(Weights weights, int expert) {
            ProjectionShape shape = ExpertMatrix.DOWN.shape(config);
            Tensor buffer = workspace.matrix(
                    Projection.DOWN, shape.outputs(), shape.inputs(), List.of(ExpertMatrix.DOWN, shape));
            write(weights, expert, ExpertMatrix.DOWN, buffer);
            return buffer;
        }

        private void write(Weights weights, int expert, ExpertMatrix matrix, Tensor target) {
            if (weights.frozen().matrices().isEmpty()) {
                target.copy_(parameters.of(weights.places().expert(expert, matrix)));
            } else {
                workspace.materialize(weights.frozen().matrix(expert, matrix), target);
            }
        }
    }

    static ExpertsBlock of(
            ResidualBranch branch,
            Weights weights,
            Source source,
            Gate activation,
            RouterBalance.OfLayer balance,
            int tokens) {
        Tensor router = source.router(weights);
        Tensor routerBias = source.routerBias(weights);
        LinearPlace place = weights.places().router();
        BoundAdapter adapter =
                place.adapter() == null ? null : BoundAdapter.of(place.adapter(), router, source.parameters(), null);
        return new ExpertsBlock(
                branch,
                new LinearPass(router, routerBias, place, adapter),
                new Expert.Adapters(
                        source.adapter(weights.places().gateUp(), source.rows()),
                        source.adapter(weights.places().down(), GateUpRows.GATE_FIRST)),
                source.biases(weights),
                weights,
                source,
                activation,
                balance,
                tokens);
    }

    /**
     * Intermediate results of the forward pass that the gradient needs.
     *
     * @param entered input of the router and of the experts
     * @param made output of the part; null where nothing reads it
     */
    record Tape(
            Tensor input,
            Tensor entered,
            LinearPass.Tape routed,
            Routing routing,
            @Nullable Tensor made) implements FeedForward.Tape {
        @Override
        public Stream<Tensor> tensors() {
            return Stream.of(Stream.of(entered), routed.tensors(), Stream.ofNullable(made))
                    .flatMap(each -> each);
        }

        private Tape with(Tensor output) {
            return new Tape(input, entered, routed, routing, output);
        }
    }

    @Override
    public Tensor forward(Tensor input) {
        return TensorScope.keep(() -> {
            Tape routed = route(input);
            return branch.leave(input, mixed(routed));
        });
    }

    @Override
    public Recorded record(Tensor input) {
        Tape routed = route(input);
        Tensor made = mixed(routed);
        return new Recorded(branch.leave(input, made), branch.needsOutput() ? routed.with(made) : routed);
    }

    @Override
    public Tensor recomputedBackward(Tensor resultGradient, Tensor input, GradientAccumulator gradients) {
        return TensorScope.keep(() -> {
            Tape routed = route(input);
            return backward(resultGradient, branch.needsOutput() ? routed.with(mixed(routed)) : routed, gradients);
        });
    }

    private Tape route(Tensor input) {
        Tensor entered = branch.enter(input, rows -> torch.empty_like(input));
        LinearPass.Recorded routed = router.apply(entered);
        Routing routing = Routing.of(routed.output(), tokens, source.config().mixture());
        balance.put(routing);
        return new Tape(input, entered, routed.tape(), routing, null);
    }

    private Tensor mixed(Tape tape) {
        return TensorScope.keep(() -> {
            Tensor sum = zeros(tape.entered());
            each(tape.routing(), rows -> {
                Tensor made = expert(rows.share()).forward(rows.gather(tape.entered()));
                rows.addWeighedTo(sum, made);
            });
            return sum.to(tape.entered().scalar_type());
        });
    }

    @Override
    public Tensor backward(Tensor resultGradient, FeedForward.Tape recorded, GradientAccumulator gradients) {
        Tape tape = (Tape) recorded;
        Tensor dMade = branch.throughLeave(resultGradient, tape.made(), gradients);
        Tensor dEntered = TensorScope.keep(() -> throughExperts(dMade, tape, gradients));
        return branch.throughEnter(dEntered, tape.input(), resultGradient, gradients);
    }

    private Tensor throughExperts(Tensor dMade, Tape tape, GradientAccumulator gradients) {
        Routing routing = tape.routing();
        float[] dWeights = routing.weightGradients();
        Expert.Gradients own = gradientsOf(gradients);
        Tensor sum = zeros(tape.entered());
        each(routing, rows -> {
            Tensor products = source.hardware().empty(ScalarType.Float, rows.count());
            Expert expert = expert(rows.share());
            rows.addTo(sum, expert.backward(rows.gather(tape.entered()), rows.gatherWeighed(dMade), own, products));
            rows.addWeightGradients(products, dWeights);
        });
        add(own, gradients);
        Tensor dLogits = source.hardware()
                .on(TensorMemory.floats(
                        routing.logitGradients(
                                dWeights,
                                balance.gradient(),
                                Math.toIntExact(tape.entered().size(0))),
                        tape.entered().size(0),
                        source.config().mixture().experts()))
                .to(tape.entered().scalar_type());
        return sum.add_(router.backward(dLogits, tape.routed(), gradients))
                .to(tape.entered().scalar_type());
    }

    private Expert.Gradients gradientsOf(GradientAccumulator gradients) {
        List<Map<ExpertMatrix, Parameter>> places = weights.places().experts();
        Expert.Sink sink =
                (expert, matrix, gradient) -> gradients.add(weights.places().expert(expert, matrix), gradient);
        return Expert.Gradients.of(adapters, places.isEmpty() ? null : sink, biases, source.hardware());
    }

    private void add(Expert.Gradients own, GradientAccumulator gradients) {
        Places places = weights.places();
        if (places.gateUp() != null && own.gateUp() != null) {
            gradients.add(places.gateUp().down(), own.gateUp().down());
            gradients.add(
                    places.gateUp().up(), source.rows().together(own.gateUp().up()));
        }

        if (places.down() != null && own.down() != null) {
            gradients.add(places.down().down(), own.down().down());
            gradients.add(places.down().up(), own.down().up());
        }

        if (places.biases() != null && own.biases() != null) {
            gradients.add(places.biases().gateUp(), own.biases().storedGateUp(source.rows()));
            gradients.add(places.biases().down(), own.biases().down());
        }
    }

    private Expert expert(Routing.Share share) {
        return new Expert(
                share.expert(),
                source.gateUp(weights, share.expert()),
                source.down(weights, share.expert()),
                biases,
                adapters,
                activation);
    }

    private Tensor zeros(Tensor like) {
        return source.hardware().zeros(ScalarType.Float, like.size(0), like.size(1));
    }

    /** In the order of experts, which fixes that of all sums. */
    private void each(Routing routing, Consumer<ExpertRows> body) {
        weights.frozen().ask(routing);
        for (Routing.Share share : routing.shares()) {
            if (share.size() > 0) {
                TensorScope.run(() -> body.accept(ExpertRows.of(share, source.hardware())));
            }
        }
    }
}
