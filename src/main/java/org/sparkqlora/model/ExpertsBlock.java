package org.sparkqlora.model;

import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Stream;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.jspecify.annotations.Nullable;
import org.sparkqlora.model.adapter.TargetParameters;
import org.sparkqlora.model.elementwise.GatedActivation;
import org.sparkqlora.model.experts.Expert;
import org.sparkqlora.model.experts.ExpertAdapter;
import org.sparkqlora.model.experts.ExpertRows;
import org.sparkqlora.model.experts.RouterBalance;
import org.sparkqlora.model.experts.Routing;
import org.sparkqlora.tensor.BaseMatrix;
import org.sparkqlora.tensor.Hardware;
import org.sparkqlora.tensor.TensorMemory;
import org.sparkqlora.tensor.TensorScope;
import org.sparkqlora.weights.family.DecoderTensors;
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
        Weights weights,
        Source source,
        GatedActivation activation,
        RouterBalance.OfLayer balance,
        int tokens)
        implements FeedForward {
    /** What of a layer's mixture is frozen between passes, and where the rest lies in the flat vector. */
    record Weights(@Nullable Tensor router, List<Map<ExpertMatrix, BaseMatrix>> experts, Places places) {
        private BaseMatrix expert(int expert, ExpertMatrix matrix) {
            return Objects.requireNonNull(experts.get(expert).get(matrix));
        }

        /** Has the system read what is not resident of the experts that tokens go to. */
        private void ask(Routing routing) {
            int[] counts = routing.counts();
            for (int expert = 0; expert < experts.size(); expert++) {
                if (counts[expert] > 0) {
                    experts.get(expert).values().forEach(BaseMatrix::ask);
                }
            }
        }

        Weights with(Places others) {
            return new Weights(router, experts, others);
        }
    }

    /**
     * The ranges of what trains of a layer's mixture.
     *
     * @param gateUp the adapters of gate and up of all experts
     * @param down the adapters of down
     * @param experts all matrices, when all weights train
     */
    record Places(
            LinearPlace router,
            LinearPlace.@Nullable Adapter gateUp,
            LinearPlace.@Nullable Adapter down,
            List<Map<ExpertMatrix, Parameter>> experts) {
        static final Places NONE = new Places(LinearPlace.FROZEN, null, null, List.of());

        private Parameter expert(int expert, ExpertMatrix matrix) {
            return Objects.requireNonNull(experts.get(expert).get(matrix));
        }

        boolean hasAdapters() {
            return gateUp != null || down != null || router.adapter() != null;
        }

        static Places whole(ModelConfig config, int layer, ParameterIndex.Builder builder) {
            Parameter router = builder.add(
                    DecoderTensors.routerWeight(layer), config.mixture().experts(), config.hiddenSize());
            List<Map<ExpertMatrix, Parameter>> experts = new ArrayList<>();
            for (int expert = 0; expert < config.mixture().experts(); expert++) {
                Map<ExpertMatrix, Parameter> matrices = new EnumMap<>(ExpertMatrix.class);
                for (ExpertMatrix matrix : ExpertMatrix.values()) {
                    ProjectionShape shape = matrix.shape(config);
                    matrices.put(matrix, builder.add(matrix.weight(layer, expert), shape.outputs(), shape.inputs()));
                }

                experts.add(matrices);
            }

            return new Places(new LinearPlace(router, null, null), null, null, experts);
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
                                    DecoderTensors.routerWeight(layer),
                                    ExpertMatrix.router(layer),
                                    1,
                                    experts,
                                    hidden)),
                    adapting.adapter(gateUp, both ? path + ".base_layer" : path, experts, 2 * width, hidden),
                    adapting.adapter(down, path, experts, hidden, width),
                    List.of());
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
            return place == null ? Objects.requireNonNull(weights.router()) : parameters.of(place);
        }

        private @Nullable ExpertAdapter adapter(LinearPlace.@Nullable Adapter place) {
            return place == null
                    ? null
                    : ExpertAdapter.of(
                            parameters.of(place.down()),
                            parameters.of(place.up()),
                            config.mixture().experts(),
                            place.scale());
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
            if (weights.experts().isEmpty()) {
                target.copy_(parameters.of(weights.places().expert(expert, matrix)));
            } else {
                workspace.materialize(weights.expert(expert, matrix), target);
            }
        }
    }

    static ExpertsBlock of(
            ResidualBranch branch,
            Weights weights,
            Source source,
            GatedActivation activation,
            RouterBalance.OfLayer balance,
            int tokens) {
        Tensor router = source.router(weights);
        LinearPlace place = weights.places().router();
        BoundAdapter adapter =
                place.adapter() == null ? null : BoundAdapter.of(place.adapter(), router, source.parameters(), null);
        return new ExpertsBlock(
                branch,
                new LinearPass(router, null, place, adapter),
                new Expert.Adapters(
                        source.adapter(weights.places().gateUp()),
                        source.adapter(weights.places().down())),
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
        float[] logits = new float[tokens * source.config().mixture().experts()];
        TensorScope.run(() -> {
            Tensor used = routed.output().narrow(0, 0, tokens).to(ScalarType.Float);
            TensorMemory.read(TensorMemory.onHost(used.contiguous()), logits, logits.length);
        });
        Routing routing = new Routing(logits, tokens, source.config().mixture());
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
        return Expert.Gradients.of(adapters, places.isEmpty() ? null : sink, source.hardware());
    }

    private void add(Expert.Gradients own, GradientAccumulator gradients) {
        add(weights.places().gateUp(), own.gateUp(), gradients);
        add(weights.places().down(), own.down(), gradients);
    }

    private static void add(
            LinearPlace.@Nullable Adapter place, ExpertAdapter.@Nullable Gradients own, GradientAccumulator gradients) {
        if (place != null && own != null) {
            gradients.add(place.down(), own.down());
            gradients.add(place.up(), own.up());
        }
    }

    private Expert expert(Routing.Share share) {
        return new Expert(
                share.expert(),
                source.gateUp(weights, share.expert()),
                source.down(weights, share.expert()),
                adapters,
                activation);
    }

    private Tensor zeros(Tensor like) {
        return source.hardware().zeros(ScalarType.Float, like.size(0), like.size(1));
    }

    private interface OfExpert {
        void run(ExpertRows rows);
    }

    /** In the order of experts, which fixes that of all sums. */
    private void each(Routing routing, OfExpert body) {
        weights.ask(routing);
        for (Routing.Share share : routing.shares()) {
            if (share.size() > 0) {
                TensorScope.run(() -> body.run(ExpertRows.of(share, source.hardware())));
            }
        }
    }
}
