package org.sparkqlora.model;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.BiFunction;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.jspecify.annotations.Nullable;
import org.sparkqlora.model.adapter.BoundAdapter;
import org.sparkqlora.model.elementwise.Gate;
import org.sparkqlora.model.experts.Expert;
import org.sparkqlora.model.experts.ExpertAdapter;
import org.sparkqlora.model.experts.ExpertBiases;
import org.sparkqlora.model.experts.ExpertRows;
import org.sparkqlora.model.experts.FrozenExperts;
import org.sparkqlora.model.experts.GateUpRows;
import org.sparkqlora.model.experts.RouterBalance;
import org.sparkqlora.model.experts.Routing;
import org.sparkqlora.model.layout.ExpertPlaces;
import org.sparkqlora.model.layout.LinearPlace;
import org.sparkqlora.model.layout.Parameter;
import org.sparkqlora.tensor.Hardware;
import org.sparkqlora.tensor.TensorMemory;
import org.sparkqlora.tensor.TensorScope;
import org.sparkqlora.weights.family.ExpertMatrix;
import org.sparkqlora.weights.family.ModelConfig;
import org.sparkqlora.weights.family.Projection;
import org.sparkqlora.weights.family.ProjectionShape;

/**
 * A mixture of experts: {@code y = sum of w_e expert_e(x)} over the experts that the router gives a token to. Expert by expert, in their
 * order: its tokens are gathered, its weights brought to full width in one buffer, and its output added to the tokens' sums, which are
 * float32. An expert that no token goes to is not read. Where layers are recorded, what gate and up make of each expert's tokens is kept
 * for the gradient.
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
    /** The frozen weights of a layer's mixture between passes, and the places of the rest in the flat vector. */
    record Weights(FrozenExperts frozen, ExpertPlaces places) {
        Weights with(ExpertPlaces others) {
            return new Weights(frozen, others);
        }
    }

    /** The source of an expert's weights during a pass. */
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
            ExpertPlaces.Biases places = weights.places().biases();
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
        BoundAdapter adapter = place.adapter() == null
                ? null
                : BoundAdapter.of(place.adapter(), router, source.parameters()::of, null);
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
     * @param experts of those that tokens go to, by their numbers; empty where they are computed again
     * @param made output of the part; null where nothing reads it
     */
    record Tape(
            Tensor input,
            Tensor entered,
            LinearPass.Tape routed,
            Routing routing,
            Map<Integer, Expert.Tape> experts,
            @Nullable Tensor made)
            implements FeedForward.Tape {
        @Override
        public Stream<Tensor> tensors() {
            return Stream.of(
                            Stream.of(entered),
                            routed.tensors(),
                            experts.values().stream().flatMap(Expert.Tape::tensors),
                            Stream.ofNullable(made))
                    .flatMap(each -> each);
        }

        private Tape with(Map<Integer, Expert.Tape> kept, @Nullable Tensor output) {
            return new Tape(input, entered, routed, routing, kept, output);
        }
    }

    @Override
    public Tensor forward(Tensor input) {
        return TensorScope.keep(() -> branch.leave(input, mixed(route(input))));
    }

    @Override
    public Recorded record(Tensor input) {
        Tape routed = route(input);
        Map<Integer, Expert.Tape> kept = new HashMap<>();
        Tensor made = mixed(routed, (expert, tape) -> {
            kept.put(expert, tape);
            return tape.tensors().toList();
        });
        return new Recorded(branch.leave(input, made), routed.with(kept, branch.needsOutput() ? made : null));
    }

    @Override
    public Tensor recomputedBackward(Tensor resultGradient, Tensor input, GradientAccumulator gradients) {
        return TensorScope.keep(() -> {
            Tape routed = route(input);
            return backward(
                    resultGradient, branch.needsOutput() ? routed.with(Map.of(), mixed(routed)) : routed, gradients);
        });
    }

    private Tape route(Tensor input) {
        Tensor entered = branch.enter(input, rows -> torch.empty_like(input));
        LinearPass.Recorded routed = router.apply(entered);
        Routing routing = Routing.of(routed.output(), tokens, source.config().mixture());
        balance.put(routing);
        return new Tape(input, entered, routed.tape(), routing, Map.of(), null);
    }

    private Tensor mixed(Tape routed) {
        return mixed(routed, (expert, tape) -> List.of());
    }

    /** @param keeping which tensors of an expert's tape survive, owned by the surrounding scope */
    private Tensor mixed(Tape routed, BiFunction<Integer, Expert.Tape, List<Tensor>> keeping) {
        Tensor sum = zeros(routed.entered());
        each(
                routed.routing(),
                share -> TensorScope.keepAll(
                        () -> {
                            ExpertRows rows = rows(share);
                            Expert expert = expert(share);
                            Expert.Tape tape = expert.record(rows.gather(routed.entered()));
                            rows.addWeighedTo(sum, expert.output(tape));
                            return tape;
                        },
                        tape -> keeping.apply(share.expert(), tape)));
        return sum.to(routed.entered().scalar_type());
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
        Expert.Gradients ofExperts = gradientsOf(gradients);
        Tensor sum = zeros(tape.entered());
        each(
                routing,
                share -> TensorScope.run(() -> {
                    ExpertRows rows = rows(share);
                    Expert expert = expert(share);
                    Tensor entered = rows.gather(tape.entered());
                    Expert.Tape kept = tape.experts().get(share.expert());
                    Expert.Tape recorded = kept == null ? expert.record(entered) : kept;
                    Tensor products = source.hardware().empty(ScalarType.Float, rows.count());
                    rows.addTo(sum, expert.backward(entered, recorded, rows.gatherWeighed(dMade), ofExperts, products));
                    rows.addWeightGradients(products, dWeights);
                }));
        add(ofExperts, gradients);
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
        ExpertPlaces places = weights.places();
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

    private ExpertRows rows(Routing.Share share) {
        return ExpertRows.of(share, source.hardware());
    }

    /** In the order of experts, which fixes that of all sums. */
    private void each(Routing routing, Consumer<Routing.Share> body) {
        weights.frozen().ask(routing);
        for (Routing.Share share : routing.shares()) {
            if (share.size() > 0) {
                body.accept(share);
            }
        }
    }
}
