package org.sparkqlora.weights.family;

import java.util.Optional;
import java.util.OptionalDouble;

/**
 * Properties of a family's layers beyond sizes: {@code y = x + m after(part(before(x)))} for attention and then feed-forward.
 *
 * @param norms which of before and after there are
 * @param queryKeyNorm how queries and keys are normalised
 * @param normsCountFromZero a norm multiplies by 1 + weight
 * @param activation function of the gate
 * @param fusedAttention queries, keys and values are one module
 * @param feedForward the modules of the feed-forward part
 * @param attentionBias q, k and v have a bias
 * @param outputBias the attention's output projection has a bias
 * @param feedForwardBias gate, up and down have a bias
 * @param embeddingMultiplier factor on embedded tokens
 * @param residualMultiplier m
 * @param attentionScale factor on scores; empty for 1 / sqrt(head size)
 * @param logitMultiplier factor on logits
 * @param attentionCap c of {@code c tanh(score / c)}; empty for scores as they are
 * @param logitCap the same of logits
 * @param gatedAttention what attention makes is multiplied by a sigmoid of as much that the query projection makes beside each head
 * @param valueNorm the values of each head are normalised, without a weight
 * @param perLayer an embedding for each layer; empty without
 * @param layerScalars the output of each layer is multiplied by a number of its own
 * @param deltaNet sizes of the layers of the gated delta rule; empty where there are none
 * @param attentionSinks each head has a logit more, of no key, that takes a share of its attention
 * @param mixture the experts of the layers that have some; empty where none has
 */
public record DecoderTraits(
        NormPlacement norms,
        QueryKeyNorm queryKeyNorm,
        boolean normsCountFromZero,
        Activation activation,
        boolean fusedAttention,
        FeedForwardModules feedForward,
        boolean attentionBias,
        boolean outputBias,
        boolean feedForwardBias,
        double embeddingMultiplier,
        double residualMultiplier,
        OptionalDouble attentionScale,
        double logitMultiplier,
        OptionalDouble attentionCap,
        OptionalDouble logitCap,
        boolean gatedAttention,
        boolean valueNorm,
        Optional<PerLayerInput> perLayer,
        boolean layerScalars,
        Optional<DeltaNetShape> deltaNet,
        boolean attentionSinks,
        Optional<Mixture> mixture) {

    /** Traits of a plain Llama, to be changed one by one. */
    static Builder builder() {
        return new Builder();
    }

    /** Names what a family does otherwise than Llama. */
    static final class Builder {
        private NormPlacement norms = NormPlacement.BEFORE;
        private QueryKeyNorm queryKeyNorm = QueryKeyNorm.NONE;
        private boolean normsCountFromZero;
        private Activation activation = Activation.SILU;
        private boolean fusedAttention;
        private FeedForwardModules feedForward = FeedForwardModules.SEPARATE;
        private boolean attentionBias;
        private boolean outputBias;
        private boolean feedForwardBias;
        private double embeddingMultiplier = 1;
        private double residualMultiplier = 1;
        private OptionalDouble attentionScale = OptionalDouble.empty();
        private double logitMultiplier = 1;
        private OptionalDouble attentionCap = OptionalDouble.empty();
        private OptionalDouble logitCap = OptionalDouble.empty();
        private boolean gatedAttention;
        private boolean valueNorm;
        private Optional<PerLayerInput> perLayer = Optional.empty();
        private boolean layerScalars;
        private Optional<DeltaNetShape> deltaNet = Optional.empty();
        private boolean attentionSinks;
        private Optional<Mixture> mixture = Optional.empty();

        Builder norms(NormPlacement placement) {
            this.norms = placement;
            return this;
        }

        Builder queryKeyNorm(QueryKeyNorm over) {
            this.queryKeyNorm = over;
            return this;
        }

        Builder normsCountFromZero() {
            this.normsCountFromZero = true;
            return this;
        }

        Builder activation(Activation function) {
            this.activation = function;
            return this;
        }

        Builder fusedAttention() {
            this.fusedAttention = true;
            return this;
        }

        Builder feedForward(FeedForwardModules modules) {
            this.feedForward = modules;
            return this;
        }

        /** Biases of q, k and v, and of the output. */
        Builder attentionBias(boolean inputs, boolean output) {
            this.attentionBias = inputs;
            this.outputBias = output;
            return this;
        }

        Builder feedForwardBias(boolean biased) {
            this.feedForwardBias = biased;
            return this;
        }

        Builder embeddingMultiplier(double factor) {
            this.embeddingMultiplier = factor;
            return this;
        }

        Builder residualMultiplier(double factor) {
            this.residualMultiplier = factor;
            return this;
        }

        Builder attentionScale(double factor) {
            this.attentionScale = OptionalDouble.of(factor);
            return this;
        }

        Builder logitMultiplier(double factor) {
            this.logitMultiplier = factor;
            return this;
        }

        Builder caps(OptionalDouble ofAttention, OptionalDouble ofLogits) {
            this.attentionCap = ofAttention;
            this.logitCap = ofLogits;
            return this;
        }

        Builder gatedAttention() {
            this.gatedAttention = true;
            return this;
        }

        Builder valueNorm() {
            this.valueNorm = true;
            return this;
        }

        Builder perLayer(PerLayerInput input) {
            this.perLayer = Optional.of(input);
            return this;
        }

        Builder layerScalars() {
            this.layerScalars = true;
            return this;
        }

        Builder deltaNet(DeltaNetShape shape) {
            this.deltaNet = Optional.of(shape);
            return this;
        }

        Builder attentionSinks() {
            this.attentionSinks = true;
            return this;
        }

        Builder mixture(Mixture experts) {
            this.mixture = Optional.of(experts);
            return this;
        }

        DecoderTraits build() {
            return new DecoderTraits(
                    norms,
                    queryKeyNorm,
                    normsCountFromZero,
                    activation,
                    fusedAttention,
                    feedForward,
                    attentionBias,
                    outputBias,
                    feedForwardBias,
                    embeddingMultiplier,
                    residualMultiplier,
                    attentionScale,
                    logitMultiplier,
                    attentionCap,
                    logitCap,
                    gatedAttention,
                    valueNorm,
                    perLayer,
                    layerScalars,
                    deltaNet,
                    attentionSinks,
                    mixture);
        }
    }
}
