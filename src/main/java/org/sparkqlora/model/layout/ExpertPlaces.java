package org.sparkqlora.model.layout;

import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.sparkqlora.weights.family.DecoderTensors;
import org.sparkqlora.weights.family.ExpertBias;
import org.sparkqlora.weights.family.ExpertMatrix;
import org.sparkqlora.weights.family.ModelConfig;
import org.sparkqlora.weights.family.ProjectionShape;

/**
 * The ranges of what trains of a layer's mixture.
 *
 * @param gateUp the adapters of gate and up of all experts
 * @param down the adapters of down
 * @param experts all matrices, when all weights train
 * @param biases of all experts, when all weights train
 */
public record ExpertPlaces(
        LinearPlace router,
        LinearPlace.@Nullable Adapter gateUp,
        LinearPlace.@Nullable Adapter down,
        List<Map<ExpertMatrix, Parameter>> experts,
        @Nullable Biases biases) {
    static final ExpertPlaces NONE = new ExpertPlaces(LinearPlace.FROZEN, null, null, List.of(), null);

    /** The ranges of the biases of all experts. */
    public record Biases(Parameter gateUp, Parameter down) {
        private static Biases of(ModelConfig config, int layer, ParameterIndex.Builder builder) {
            long experts = config.mixture().experts();
            return new Biases(
                    builder.add(ExpertBias.GATE_UP.path(layer), experts, ExpertBias.GATE_UP.width(config)),
                    builder.add(ExpertBias.DOWN.path(layer), experts, ExpertBias.DOWN.width(config)));
        }
    }

    /** The range of a matrix of one expert, when all weights train. */
    public Parameter expert(int expert, ExpertMatrix matrix) {
        return Objects.requireNonNull(experts.get(expert).get(matrix));
    }

    boolean hasAdapters() {
        return gateUp != null || down != null || router.adapter() != null;
    }

    static ExpertPlaces whole(ModelConfig config, int layer, ParameterIndex.Builder builder) {
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
        return new ExpertPlaces(new LinearPlace(router, routerBias, null), null, null, experts, biases);
    }

    /** PEFT wraps the parameters of one module one in the other, the first one innermost. */
    static ExpertPlaces adapters(
            ModelConfig config, int layer, @Nullable LoraSpec lora, ParameterIndex.Builder builder) {
        if (lora == null) {
            return NONE;
        }

        String path = ExpertMatrix.experts(layer);
        String gateUp = path + "." + TargetParameters.GATE_UP;
        String down = path + "." + TargetParameters.DOWN;
        boolean both = lora.parameters().matches(gateUp) && lora.parameters().matches(down);
        int experts = config.mixture().experts();
        int width = config.mixture().width();
        int hidden = config.hiddenSize();
        Adapting adapting = new Adapting(lora, builder);
        return new ExpertPlaces(
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
