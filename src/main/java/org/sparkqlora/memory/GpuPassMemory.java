package org.sparkqlora.memory;

import java.util.stream.IntStream;
import org.sparkqlora.model.layout.Method;
import org.sparkqlora.model.layout.Precision;
import org.sparkqlora.train.BatchShape;
import org.sparkqlora.weights.family.ModelConfig;

/**
 * Bytes of GPU memory that one pass of a micro-batch over the model needs at its peak, dropout and DoRA left out: as {@link PassMemory}, with
 * libtorch's operations between products, which hold float32 copies of what they work on, and with fused attention, which holds no
 * probabilities.
 *
 * <p>Within a layer, what {@code AttentionBlock} keeps of its forward pass, and then the larger of the gradients of the feed-forward and of
 * the attention part, each at its own larger moment:
 *
 * <pre>
 * tape         a T (3 h + 3 q + 3 k)
 * feed-forward a T (h + 5 f) + max(T f (12 + 2 c), 4 a T h + n T h)
 * attention    a T (h + 2 q + 2 k) + max(a T (2 q + 2 k), a T (q + k + 5 h) + n T h)
 * norm         n = 20 + 2 c + a
 * </pre>
 *
 * The loss: {@code 4 a T h} around the larger of {@code P V (a + c + 12)}, P predictors at once, and {@code n T h}.
 *
 * <p>Where attention is not fused, for a family that bends its scores, or rows longer than a window, its probabilities and their float32
 * copies come on top: {@code H S (a + 2 c + 8)}.
 *
 * @param step of rows that are one document each
 */
record GpuPassMemory(ModelConfig config, Method method, Precision precision, BatchShape step) {
    // T tokens, h hidden, q queries of a token, k keys of a token, f feed-forward, V vocabulary, a bytes of an
    // activation,
    // c bytes of a float32 copy of one, S pairs of query and key that attention computes, H heads

    /** Of the logits that the loss computes at once. */
    private static final long CHUNK_BYTES = 128L << 20;

    /** From the forward pass to the gradient: of all layers. */
    long kept() {
        return onHost().kept() - (isFused() ? onHost().keptProbabilities() : 0);
    }

    /** One layer while its gradient is computed. */
    long layer() {
        long largest = IntStream.range(0, config.layers())
                .mapToLong(layer ->
                        tape(layer) + Math.max(feedForward(layer), attention(layer)) + onHost().ofInputs(layer))
                .max()
                .orElse(0);
        return largest + (isFused() ? 0 : scores());
    }

    /** The loss and its gradient. */
    long loss() {
        long row = (long) config.vocabularySize() * activation();
        long predictors = Math.min(tokens(), Math.max(1, CHUNK_BYTES / row));
        long logits = predictors * config.vocabularySize() * (activation() + copy() + 3L * Float.BYTES);
        long predicted = 4 * activation() * hidden() + Math.max(logits, norm()) + headGradient();
        return method == Method.FULL ? Math.max(predicted, embeddingGradient()) : predicted;
    }

    /** The tape of one layer; zero without recomputation, where {@link #kept} includes it. */
    private long tape(int layer) {
        return recomputes() ? activation() * (3 * hidden() + 3 * queries(layer) + 3 * keys(layer)) : 0;
    }

    private long feedForward(int layer) {
        if (config.isMixture(layer)) {
            return onHost().ofExperts() + norm();
        }

        long wide = onHost().freesActivated() ? 2 : 3;
        long recorded = recomputes() ? hidden() + wide * intermediate(layer) : 0;
        long kept = activation() * (recorded + 3 * intermediate(layer));
        long activated = (3L * Float.BYTES + 2 * copy()) * intermediate(layer);
        long entered = 4 * activation() * hidden() + norm();
        return kept
                + Math.max(activated, entered)
                + weightGradient(3L * config.hiddenSize() * config.intermediateSize(layer));
    }

    private long attention(int layer) {
        long kept = activation() * (hidden() + 2 * queries(layer) + 2 * keys(layer));
        long fused = activation() * (2 * queries(layer) + 2 * keys(layer));
        long entered = activation() * (queries(layer) + keys(layer) + 5 * hidden()) + norm();
        long weights = 2L * config.hiddenSize() * (config.querySize(layer) + config.keyValueSize(layer));
        return kept + Math.max(fused, entered) + weightGradient(weights);
    }

    /** The temporaries of a norm's gradient. */
    private long norm() {
        return (5L * Float.BYTES + 2 * copy() + activation()) * hidden();
    }

    private long scores() {
        return config.heads() * onHost().pairs() * (activation() + 2 * copy() + 2L * Float.BYTES);
    }

    /** The gradient of trained weights in the precision of computation and in float32. */
    private long weightGradient(long weights) {
        return method == Method.FULL ? weights * (activation() + copy()) : 0;
    }

    private long headGradient() {
        return method == Method.FULL ? onHost().headGradient() : 0;
    }

    private long embeddingGradient() {
        return Float.BYTES * (headWeights() + hidden());
    }

    private long headWeights() {
        return (long) config.vocabularySize() * config.hiddenSize();
    }

    private boolean recomputes() {
        return step.recompute().isOfWholeLayers();
    }

    private boolean isFused() {
        return config.traits().attentionCap().isEmpty() && onHost().widestWindow() >= step.sequenceLength();
    }

    private PassMemory onHost() {
        return new PassMemory(config, method, precision, step);
    }

    private long hidden() {
        return tokens() * config.hiddenSize();
    }

    private long queries(int layer) {
        return tokens() * config.querySize(layer);
    }

    private long keys(int layer) {
        return tokens() * config.keyValueSize(layer);
    }

    private long intermediate(int layer) {
        return tokens() * config.intermediateSize(layer);
    }

    private long tokens() {
        return (long) step.rowsAtOnce() * step.sequenceLength();
    }

    private long activation() {
        return WeightMemory.bytesOf(precision);
    }

    private long copy() {
        return precision == Precision.FP32 ? 0 : Float.BYTES;
    }
}
