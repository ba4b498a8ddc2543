package org.sparkqlora.memory;

import java.util.stream.IntStream;
import org.sparkqlora.model.Recompute;
import org.sparkqlora.model.deltanet.DeltaNet;
import org.sparkqlora.model.experts.ExpertRows;
import org.sparkqlora.model.layout.Method;
import org.sparkqlora.model.layout.Precision;
import org.sparkqlora.train.BatchShape;
import org.sparkqlora.weights.family.DecoderTensors;
import org.sparkqlora.weights.family.DeltaNetShape;
import org.sparkqlora.weights.family.ModelConfig;
import org.sparkqlora.weights.family.QueryKeyNorm;
import org.sparkqlora.weights.family.TokenMixing;

/**
 * Bytes that one pass of a micro-batch over the model needs at its peak, dropout and DoRA left out.
 *
 * <p>Between layers: {@code (L + 2) T h a}, the input of each layer, the last output, and one gradient, and what is not recomputed:
 * {@code L a T (3 h + 2 q + 2 k + 3 f)}, and attention's probabilities {@code L a H S}. Within a layer, what
 * {@code AttentionBlock} keeps of its forward pass, and then the larger of the gradients of the feed-forward and of the attention part:
 *
 * <pre>
 * tape        a (T (3 h + 5 q + 3 k) + 2 K k + 2 H S)
 * feed-forward a T (3 h + 6 f)
 * attention   a (T (5 h + 7 q + 3 k) + 4 K k + H S) + 8 T (q + k)
 * </pre>
 *
 * The loss: {@code a c V} of logits, c predictors at once; {@code 5 a T h} around it.
 *
 * @param step of rows that are one document each, which are the costliest that rows can hold
 */
record PassMemory(ModelConfig config, Method method, Precision precision, BatchShape step) {
    /** Numbers in float32 a token, in widths of an expert, of its gate; a bounded one is made of operations of libtorch. */
    private static final long OF_GATE = 3;

    private static final long OF_CLAMPED_GATE = 9;

    // T tokens, L layers, h hidden, q = H d queries of a token, k = G d keys of a token, f feed-forward, V vocabulary,
    // a bytes of an
    // activation; S pairs of query and key that attention computes and K keys that its blocks of queries copy, of all
    // rows

    /** Queries that attention takes at once. */
    private static final int QUERY_BLOCK = 256;

    /** Of the logits that the loss computes at once. */
    private static final long CHUNK_BYTES = 48L << 20;

    /** Of the head's weight whose gradient is added at once. */
    private static final int HEAD_ROWS = 1 << 12;

    /** From the forward pass to the gradient: of all layers. */
    long kept() {
        long inputs = step.recompute() == Recompute.OFFLOAD ? 1 : config.layers(); // one is on its way to the file
        return (inputs + 2) * tokens() * config.hiddenSize() * activation()
                + layers(TokenMixing.ATTENTION).mapToLong(this::keptOfLayer).sum()
                + layers(TokenMixing.DELTA_NET)
                        .mapToLong(this::keptOfDeltaLayer)
                        .sum()
                + keptOfAll();
    }

    /** Inputs of single layers with their gradients, and keys and values that layers share with the float32 sums of theirs. */
    private long keptOfAll() {
        long shared = IntStream.range(0, config.layers())
                .filter(layer -> config.keysOf(layer) != layer)
                .map(config::keysOf)
                .distinct()
                .mapToLong(config::keyValueSize)
                .sum();
        return tokens() * (2 * activation() * inputs() + 2 * (activation() + Float.BYTES) * shared);
    }

    /** Numbers a token of the inputs of all layers. */
    private long inputs() {
        return config.traits().perLayer().isEmpty() ? 0 : DecoderTensors.perLayerWidth(config);
    }

    /** What the part of its own input adds to a layer; the first layer makes the inputs of all, and goes back through that. */
    long ofInputs(int layer) {
        if (config.traits().perLayer().isEmpty()) {
            return 0;
        }

        long values = 8L * config.hiddenSize() + 6L * config.perLayer().width() + (layer == 0 ? 6 * inputs() : 0);
        return activation() * tokens() * values;
    }

    /** What a layer keeps of its feed-forward part while it goes back through attention, where its output is read again. */
    private long keptOfFeedForward(int layer) {
        return recordsWholeLayers() ? activation() * tokens() * (2L * config.hiddenSize() + keptWide(layer)) : 0;
    }

    /** Whether a layer is computed again whole before its gradient, and not part by part. */
    private boolean recordsWholeLayers() {
        return config.traits().perLayer().isPresent() || config.traits().layerScalars();
    }

    /** Whether what {@code down} needs is freed before the gradients of gate and up take room. */
    boolean freesActivated() {
        return step.recompute().isOfWholeLayers() && !recordsWholeLayers();
    }

    private IntStream layers(TokenMixing mixing) {
        return IntStream.range(0, config.layers()).filter(layer -> config.mixing(layer) == mixing);
    }

    /** Of a layer of the gated delta rule, beside its input. */
    private long keptOfDeltaLayer(int layer) {
        return step.recompute().isOfWholeLayers() || config.traits().deltaNet().isEmpty()
                ? 0
                : activation() * (deltaValues() + tokens() * (config.hiddenSize() + keptWide(layer)));
    }

    /** Beside the layer's input. */
    private long keptOfLayer(int layer) {
        return switch (step.recompute()) {
            case OFFLOAD, ALL -> 0;
            case ATTENTION -> activation() * keptValues(layer);
            case NONE -> activation() * (keptValues(layer) + probabilities());
        };
    }

    /** Of it, the probabilities of attention in all layers. */
    long keptProbabilities() {
        return step.recompute() == Recompute.NONE
                ? layers(TokenMixing.ATTENTION).count() * activation() * probabilities()
                : 0;
    }

    private long probabilities() {
        return pairs() * config.heads() * (config.traits().attentionCap().isPresent() ? 2 : 1);
    }

    /** Pairs of query and key that attention computes, of all rows. */
    long pairs() {
        return rows() * blockPairs();
    }

    /** The input of each part, and the output of each module but the last. */
    private long keptValues(int layer) {
        long plain = config.traits().queryKeyNorm() != QueryKeyNorm.NONE
                        || config.traits().fusedAttention()
                ? config.querySize(layer) + config.keyValueSize(layer)
                : 0;
        return tokens()
                * (3L * config.hiddenSize()
                        + 2L * config.querySize(layer)
                        + 2L * config.keyValueSize(layer)
                        + plain
                        + gates(layer)
                        + keptWide(layer)
                        + keptOfRouter(layer));
    }

    /** Numbers a token that the wide part keeps: gate, up and their product; of experts gate and up, with the rows that each fills up. */
    private long keptWide(int layer) {
        if (!config.isMixture(layer)) {
            return 3L * config.intermediateSize(layer);
        }

        long filled = (config.mixture().experts() * (ExpertRows.ROWS - 1L) + tokens() - 1) / tokens();
        return 2L * config.mixture().width() * (config.mixture().perToken() + filled);
    }

    /** Numbers a token that a router makes: logits, and probabilities in float32. */
    private long keptOfRouter(int layer) {
        return config.isMixture(layer) ? config.mixture().experts() * (1 + Float.BYTES / activation()) : 0;
    }

    long layerRecompute() {
        return IntStream.range(0, config.layers())
                .mapToLong(this::layerRecompute)
                .max()
                .orElse(0);
    }

    private long layerRecompute(int layer) {
        return switch (config.mixing(layer)) {
            case ATTENTION ->
                tape(layer)
                        + Math.max(feedForward(layer), attention(layer) + keptOfFeedForward(layer))
                        + ofInputs(layer);
            case DELTA_NET -> activation() * deltaValues() + Math.max(feedForward(layer), delta(config.deltaNet()));
        };
    }

    /** Numbers a token that a gate adds to what attention keeps. */
    private long gates(int layer) {
        return config.traits().gatedAttention() ? 2L * config.querySize(layer) : 0;
    }

    /** What a part of the gated delta rule keeps of its forward pass: its input, and what its projections make and get. */
    private long deltaValues() {
        DeltaNetShape shape = config.deltaNet();
        return tokens()
                * (2L * config.hiddenSize() + shape.channels() + 2L * shape.valueWidth() + 2L * shape.valueHeads());
    }

    /**
     * Gradients of what the projections made, and float32 of one group of heads, forward and back. That is, measured at sizes of 128
     * and chunks of 64, 5/4 of the tensors that the forward pass makes a token and head.
     */
    private long delta(DeltaNetShape shape) {
        long chunk = DeltaNet.CHUNK;
        long heads = Math.min(DeltaNet.GROUP, shape.valueHeads());
        long channels = (long) shape.channels() / shape.valueHeads();
        long values = (2L * shape.kernel() + 4) * channels
                + 10L * shape.keySize()
                + 8L * shape.valueSize()
                + 8 * chunk
                + 3L * shape.keySize() * shape.valueSize() / chunk;
        long weights = (long) config.hiddenSize() * (shape.channels() + 2L * shape.valueWidth());
        return Float.BYTES * tokens() * heads * values * 5 / 4
                + 2 * activation() * (deltaValues() - tokens() * config.hiddenSize())
                + weightGradient(weights);
    }

    long loss() {
        long tokens = tokens();
        long row = config.vocabularySize() * activation();
        long logits = Math.min(tokens, Math.max(1, CHUNK_BYTES / row)) * row;
        long around = tokens * config.hiddenSize() * 5 * activation();
        long matrix = (long) config.vocabularySize() * config.hiddenSize();
        long embedding = tokens * config.hiddenSize() * Float.BYTES + matrix * Float.BYTES;
        return method == Method.FULL ? Math.max(logits + around + headGradient(), embedding) : logits + around;
    }

    /** The gradient of a trained head: the float32 sum over chunks, and one chunk's part. */
    long headGradient() {
        long rows = Math.min(HEAD_ROWS, config.vocabularySize());
        return ((long) config.vocabularySize() * Float.BYTES + rows * (activation() + copies(Float.BYTES)))
                * config.hiddenSize();
    }

    private long tape(int layer) {
        long tokens = tokens();
        long values =
                tokens * (3L * config.hiddenSize() + 5L * config.querySize(layer) + 3L * config.keyValueSize(layer))
                        + 2L * rows() * blockKeys() * config.keyValueSize(layer)
                        + 2L * pairs() * config.heads();
        long headNorms = config.traits().queryKeyNorm() != QueryKeyNorm.NONE
                ? tokens * (config.querySize(layer) + config.keyValueSize(layer))
                : 0;
        return activation() * (values + headNorms + tokens * 2 * gates(layer));
    }

    private long feedForward(int layer) {
        long hidden = config.hiddenSize();
        if (config.isMixture(layer)) {
            return ofExperts();
        }

        long wide = freesActivated() ? 5 : 6;
        long values = tokens() * (3 * hidden + wide * config.intermediateSize(layer));
        return activation() * values + weightGradient(3 * hidden * config.intermediateSize(layer));
    }

    /** Sums in float32 over all experts, and what one computes, to which all tokens may go. */
    long ofExperts() {
        long hidden = config.hiddenSize();
        long width = config.mixture().width();
        long values = tokens() * (6 * hidden + 6 * width + 2L * config.mixture().experts());
        long gate = config.mixture().clamp().isPresent() ? OF_CLAMPED_GATE : OF_GATE;
        long floats =
                tokens() * (2 * hidden + gate * width + 2L * config.mixture().experts());
        return activation() * values + Float.BYTES * floats + weightGradient(2 * hidden * width);
    }

    private long attention(int layer) {
        long tokens = tokens();
        long hidden = config.hiddenSize();
        long queries = config.querySize(layer);
        long keys = config.keyValueSize(layer);
        long values = tokens * (5 * hidden + 7 * queries + 3 * keys)
                + 4L * rows() * blockKeys() * keys
                + pairs() * config.heads();
        return activation() * values
                + 2L * Float.BYTES * tokens * (queries + keys)
                + weightGradient(2 * hidden * (queries + keys));
    }

    /** The gradient of weights that train, before it is added to the flat vector. */
    private long weightGradient(long weights) {
        return method == Method.FULL ? weights * (activation() + copies(Float.BYTES)) : 0;
    }

    /** Bytes of a conversion to or from float32; zero if everything is float32. */
    private long copies(long bytes) {
        return precision == Precision.FP32 ? 0 : bytes;
    }

    private long tokens() {
        return rows() * step.sequenceLength();
    }

    private long rows() {
        return step.rowsAtOnce();
    }

    private long activation() {
        return WeightMemory.bytesOf(precision);
    }

    /** Pairs of query and key in one document. */
    private long blockPairs() {
        long pairs = 0;
        for (int from = 0; from < step.sequenceLength(); from += QUERY_BLOCK) {
            pairs += queries(from) * keys(from);
        }

        return pairs;
    }

    /** Keys that the blocks of one document see, each block's counted anew. */
    private long blockKeys() {
        long keys = 0;
        for (int from = 0; from < step.sequenceLength(); from += QUERY_BLOCK) {
            keys += keys(from);
        }

        return keys;
    }

    private long queries(int from) {
        return Math.min(QUERY_BLOCK, step.sequenceLength() - from);
    }

    private long keys(int from) {
        long first = Math.max(0, from - widestWindow() + 1);
        return from + queries(from) - first;
    }

    /** Tokens that the layer that sees most sees. */
    long widestWindow() {
        return config.layerTraits().stream()
                .mapToLong(layer -> layer.window().orElse(Integer.MAX_VALUE))
                .max()
                .orElse(Integer.MAX_VALUE);
    }
}
