package org.sparkqlora.model;

import java.util.Arrays;
import java.util.List;
import java.util.function.Consumer;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.sparkqlora.model.CausalAttention.Attended;
import org.sparkqlora.tensor.FlatVector;
import org.sparkqlora.tensor.TensorMemory;
import org.sparkqlora.tensor.TensorScope;
import org.sparkqlora.tokenizer.packing.TokenRow;

/**
 * The parts of a gradient one by one, to see where its time goes. They work on the embedded tokens of a micro-batch: what the
 * numbers are does not matter to the time they take. One call at a time.
 */
public final class PassParts implements AutoCloseable {
    private final DecoderModel model;
    private final BoundParameters parameters;
    private final DocumentBatch batch;
    private final GradientAccumulator gradients;
    private final Tensor hidden; // (tokens, hidden)
    private final Tensor query; // (tokens, heads, head size)
    private final Tensor key; // (tokens, key-value heads, head size)

    private PassParts(
            DecoderModel model, BoundParameters parameters, DocumentBatch batch, GradientAccumulator gradients) {
        this.model = model;
        this.parameters = parameters;
        this.batch = batch;
        this.gradients = gradients;
        this.hidden = TensorScope.detached(() -> model.embedding().of(parameters, indices(batch.ids())));
        this.query = heads(model.config().heads());
        this.key = heads(model.config().keyValueHeads(0));
    }

    /** The parts of {@code model} over {@code microBatch}; {@code parameters} must stay open as long. */
    public static PassParts of(DecoderModel model, BoundParameters parameters, List<TokenRow> microBatch) {
        GradientAccumulator gradients =
                new GradientAccumulator(FlatVector.zeros(model.parameters().size()));
        return new PassParts(model, parameters, new DocumentBatch(microBatch), gradients);
    }

    /** Final norm, head and loss of the trained positions, and the gradient of all that. */
    public void head() {
        run(pass -> {
            Normalization norm = model.finalNorm(parameters, pass.hardware());
            Tensor rows = hidden.index_select(0, indices(batch.predictors()));
            Tensor normalized = norm.forward(rows);
            Tensor gradient = torch.empty_like(normalized);
            model.head(parameters, pass.hardware())
                    .lossesAndGradient(normalized, batch.targets(), null, gradient, gradients);
            norm.backward(gradient, rows, gradients);
        });
    }

    /** Dequantises the weights of the first layer. */
    public void layerWeights() {
        inContext((pass, context) -> open(pass, context));
    }

    /** The first layer forward, its weights dequantised. */
    public void layerForward() {
        inContext((pass, context) -> open(pass, context).forward(hidden));
    }

    /** The first layer's gradient: weights dequantised, forward recomputed, then back. */
    public void layerGradient() {
        inContext((pass, context) -> open(pass, context).recomputedBackward(hidden, hidden, gradients));
    }

    /** Attention of the first layer, without its projections. */
    public void attentionForward() {
        inContext((pass, context) -> context.layer(0).attention().forward(query, key, key, batch, false, this::buffer));
    }

    /** The same by libtorch's own kernel. */
    public void attentionOfLibtorch() {
        FusedAttention attention = new FusedAttention(model.config().attentionScale());
        inContext((pass, context) -> attention.forward(query, key, key, batch));
    }

    /** Attention of the first layer, forward and back. */
    public void attentionGradient() {
        inContext((pass, context) -> {
            CausalAttention attention = context.layer(0).attention();
            Attended attended = attention.forward(query, key, key, batch, true, this::buffer);
            attention.backward(
                    attended.output(),
                    attended,
                    query,
                    key,
                    key,
                    batch,
                    tokens -> List.of(buffer(tokens), keyBuffer(tokens), keyBuffer(tokens)));
        });
    }

    @Override
    public void close() {
        hidden.releaseReference();
        query.releaseReference();
        key.releaseReference();
    }

    private LayerPass open(ModelPass pass, PassContext context) {
        return model.layers().get(0).open(parameters, pass.workspace(), context, pass.dropout());
    }

    private void inContext(Work work) {
        run(pass -> work.run(pass, model.context(batch, List.of(), pass.hardware())));
    }

    private void run(Consumer<ModelPass> work) {
        model.inPass(parameters, pass -> {
            try (PointerScope scope = new PointerScope()) {
                work.accept(pass);
                return Boolean.TRUE;
            }
        });
    }

    private Tensor buffer(long tokens) {
        return torch.empty(new long[] {tokens, query.size(1) * query.size(2)}, query.options(), null);
    }

    private Tensor keyBuffer(long tokens) {
        return torch.empty(new long[] {tokens, key.size(1) * key.size(2)}, key.options(), null);
    }

    private Tensor heads(long count) {
        long size = model.config().headSize(0);
        return TensorScope.detached(
                () -> torch.randn(batch.tokens(), count, size).to(hidden.device(), hidden.scalar_type()));
    }

    private Tensor indices(int[] values) {
        return model.hardware()
                .on(TensorMemory.longs(Arrays.stream(values).asLongStream().toArray()));
    }

    /** A part of a pass that needs what layers share. */
    private interface Work {
        void run(ModelPass pass, PassContext context);
    }
}
