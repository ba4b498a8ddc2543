package org.sparkqlora.model;

import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CancellationException;
import java.util.function.BooleanSupplier;
import java.util.stream.IntStream;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.jspecify.annotations.Nullable;
import org.sparkqlora.model.adapter.Dropout;
import org.sparkqlora.model.experts.RouterBalance;
import org.sparkqlora.model.layout.Parameter;
import org.sparkqlora.model.loss.AnswerLoss;
import org.sparkqlora.model.loss.AnswerLoss.Predicted;
import org.sparkqlora.model.loss.LossTotal;
import org.sparkqlora.model.loss.ScoreLoss;
import org.sparkqlora.model.loss.ScoreLoss.Scores;
import org.sparkqlora.model.loss.TokenMeasures;
import org.sparkqlora.tensor.Hardware;
import org.sparkqlora.tensor.RowLoop;
import org.sparkqlora.tensor.TensorMemory;
import org.sparkqlora.tensor.TensorRows;
import org.sparkqlora.tensor.TensorScope;
import org.sparkqlora.tokenizer.packing.TokenRow;

/**
 * One pass over one micro-batch at a time: forward keeping each layer's input and, unless it is recomputed, what its gradient needs, and
 * backward layer by layer.
 *
 * @param dropout of adapters' inputs; null where nothing is dropped
 * @param noise on the tokens that a gradient is computed of; null where there is none
 * @param stopped whether no one waits for the pass any more; looked at between layers
 */
record ModelPass(
        DecoderModel model,
        BoundParameters parameters,
        Workspace workspace,
        @Nullable Dropout dropout,
        @Nullable EmbeddingNoise noise,
        BooleanSupplier stopped) {
    /** The summed loss; its gradient is added to {@code gradients}. */
    LossTotal gradient(DocumentBatch batch, GradientAccumulator gradients) {
        return gradient(batch, gradients, (last, dLast) -> {
            float[] losses = headGradient(batch, last, dLast, gradients);
            return new LossTotal(OutputHead.sum(losses), losses.length);
        });
    }

    /**
     * The loss of answers; its gradient is added to {@code gradients}.
     *
     * @param byReference the losses of the batch's predictors by the reference; null where there is none
     */
    LossTotal gradient(
            DocumentBatch batch, AnswerLoss loss, float @Nullable [] byReference, GradientAccumulator gradients) {
        return gradient(
                batch, gradients, (last, dLast) -> answersGradient(batch, byReference, loss, last, dLast, gradients));
    }

    /** The loss of the scores of documents; its gradient is added to {@code gradients}. */
    LossTotal gradient(DocumentBatch batch, ScoreLoss loss, GradientAccumulator gradients) {
        return gradient(batch, gradients, (last, dLast) -> scoreGradient(batch, loss, last, dLast, gradients));
    }

    /** The scores of documents. */
    Scores scores(DocumentBatch batch) {
        try (PointerScope scope = new PointerScope()) {
            PassContext context = model.context(batch, List.of(), hardware());
            Tensor hidden = lastHidden(batch, context).index_select(0, indices(batch.scored()));
            Tensor normalized = model.finalNorm(parameters, hardware()).forward(hidden);
            float[] scores = model.scoreHead(parameters, hardware()).scores(normalized);
            return batch.scores(scores, scores.length / batch.documents().size());
        }
    }

    /** The predicted tokens of documents with their losses here and by the reference. */
    AnswerLoss.Answers answers(DocumentBatch batch, float @Nullable [] byReference) {
        TokenMeasures measures = TokenMeasures.ofTokens(batch.targets().length);
        return batch.answers(predictorLosses(batch, measures), byReference, measures);
    }

    /** The losses of the predictors of {@code rows} by another model: row by row, so that they do not depend on what passes together. */
    float[] losses(List<TokenRow> rows, Predicted predicted, BoundParameters other) {
        ModelPass pass = new ModelPass(model, other, workspace, null, null, stopped);
        List<float[]> losses = rows.stream()
                .map(row -> pass.predictorLosses(new DocumentBatch(List.of(row), predicted), null))
                .toList();
        float[] all = new float[losses.stream().mapToInt(row -> row.length).sum()];
        int at = 0;
        for (float[] row : losses) {
            System.arraycopy(row, 0, all, at, row.length);
            at += row.length;
        }

        return all;
    }

    /** The loss given the last layer's output; its gradient goes to the second, which is all zeros. */
    private interface HeadLoss {
        LossTotal of(Tensor last, Tensor dLast);
    }

    private LossTotal gradient(DocumentBatch batch, GradientAccumulator gradients, HeadLoss head) {
        try (PointerScope scope = new PointerScope();
                LayerStates states = model.layerStates()) {
            PassContext context = model.context(batch, List.of(), hardware());
            Tensor ids = indices(batch.ids());
            Tensor last = forward(embed(ids, batch), context, states);
            Tensor dLast = hardware().zeros(last.scalar_type(), last.size(0), last.size(1));
            LossTotal loss = balanced(head.of(last, dLast), context, gradients);
            Tensor dInput = backward(states, dLast, context, gradients);
            addEmbeddingGradient(ids, dInput, gradients);
            return loss;
        }
    }

    /** With the loss that balances experts, which counts once a term, as the mean that it is added to. */
    private LossTotal balanced(LossTotal loss, PassContext context, GradientAccumulator gradients) {
        RouterBalance balance = context.balance();
        return balance == null
                ? loss
                : new LossTotal(
                        loss.lossSum() + balance.weigh(loss.terms(), gradients.factor()),
                        loss.terms(),
                        loss.tokenCount(),
                        loss.measures());
    }

    /** The loss of each document. */
    List<LossTotal> losses(DocumentBatch batch) {
        float[] losses = predictorLosses(batch, null);
        int[] owners = batch.targetDocuments();
        double[] sums = new double[batch.documents().size()];
        int[] counts = new int[sums.length];
        for (int i = 0; i < losses.length; i++) {
            sums[owners[i]] += losses[i];
            counts[owners[i]]++;
        }

        return IntStream.range(0, sums.length)
                .mapToObj(d -> new LossTotal(sums[d], counts[d]))
                .toList();
    }

    /** Logits of every token, row-major. */
    float[] logits(DocumentBatch batch) {
        try (PointerScope scope = new PointerScope()) {
            PassContext context = model.context(batch, List.of(), hardware());
            Tensor logits = logits(lastHidden(batch, context).narrow(0, 0, batch.tokens()));
            float[] values = new float[Math.toIntExact(logits.numel())];
            TensorMemory.read(logits, values, values.length);
            return values;
        }
    }

    /** Takes the logits of a document's last token, which are valid during the call. Several threads call, each for other documents. */
    interface LastLogits {
        void take(int document, float[] logits);
    }

    /**
     * Hands over the logits of each document's last token.
     *
     * @param caches of the documents before the batch, which the batch goes into
     */
    void lastLogits(DocumentBatch batch, List<KeyValueCache> caches, LastLogits sink) {
        try (PointerScope scope = new PointerScope()) {
            PassContext context = model.context(batch, caches, hardware());
            int[] last = batch.documents().stream()
                    .mapToInt(document -> document.start() + document.length() - 1)
                    .toArray();
            Tensor hidden = lastHidden(batch, context).index_select(0, indices(last));
            Tensor logits = logits(last.length == 1 ? hidden : OutputHead.wholeRows(hidden));
            int width = Math.toIntExact(logits.size(1));
            new RowLoop(workspace.threads().workers()).run(last.length, width, range -> {
                TensorRows rows = range.of(logits);
                float[] row = new float[width];
                for (long i = range.from(); i < range.to(); i++) {
                    rows.load(i, row);
                    sink.take((int) i, row);
                }
            });
        }
    }

    /** @param measures takes those of the predicted tokens; null for none */
    private float[] predictorLosses(DocumentBatch batch, @Nullable TokenMeasures measures) {
        if (batch.targets().length == 0) {
            return new float[0];
        }

        try (PointerScope scope = new PointerScope()) {
            PassContext context = model.context(batch, List.of(), hardware());
            Tensor hidden = lastHidden(batch, context).index_select(0, indices(batch.predictors()));
            Tensor normalized = model.finalNorm(parameters, hardware()).forward(hidden);
            return model.head(parameters, hardware()).losses(normalized, batch.targets(), measures);
        }
    }

    /** In float32, where Java reads them. */
    private Tensor logits(Tensor hidden) {
        Tensor normalized = model.finalNorm(parameters, hardware()).forward(hidden);
        return TensorMemory.onHost(model.head(parameters, hardware()).logits(normalized));
    }

    private float[] headGradient(DocumentBatch batch, Tensor last, Tensor dLast, GradientAccumulator gradients) {
        if (batch.targets().length == 0) {
            return new float[0];
        }

        Tensor predictors = indices(batch.predictors());
        float[][] losses = new float[1][];
        TensorScope.run(() -> {
            Normalization norm = model.finalNorm(parameters, hardware());
            Tensor hidden = last.index_select(0, predictors);
            Tensor normalized = norm.forward(hidden);
            Tensor dNormalized = torch.empty_like(normalized);
            losses[0] = model.head(parameters, hardware())
                    .lossesAndGradient(normalized, batch.targets(), null, dNormalized, gradients);
            dLast.index_copy_(0, predictors, norm.backward(dNormalized, hidden, gradients));
        });
        return losses[0];
    }

    /** Of a head that does not train the gradient is weighed when it has come through: the rows of its input are apart. */
    private LossTotal answersGradient(
            DocumentBatch batch,
            float @Nullable [] byReference,
            AnswerLoss loss,
            Tensor last,
            Tensor dLast,
            GradientAccumulator gradients) {
        Tensor predictors = indices(batch.predictors());
        int[] targets = batch.targets();
        float[] weights = new float[targets.length];
        TokenMeasures measures = loss.measuresTokens() ? TokenMeasures.ofTokens(targets.length) : null;
        LossTotal[] total = new LossTotal[1];
        TensorScope.run(() -> {
            Normalization norm = model.finalNorm(parameters, hardware());
            Tensor hidden = last.index_select(0, predictors);
            Tensor normalized = norm.forward(hidden);
            Tensor dNormalized = torch.empty_like(normalized);
            OutputHead head = model.head(parameters, hardware());
            if (head.trains()) {
                float[] losses = head.losses(normalized, targets, measures);
                total[0] = loss.of(batch.answers(losses, byReference, measures), weights);
                head.weightedGradient(normalized, targets, weights, dNormalized, gradients);
            } else {
                float[] losses = head.lossesAndGradient(normalized, targets, measures, dNormalized, gradients);
                total[0] = loss.of(batch.answers(losses, byReference, measures), weights);
                head.weigh(dNormalized, weights);
            }

            dLast.index_copy_(0, predictors, norm.backward(dNormalized, hidden, gradients));
        });
        return total[0];
    }

    private LossTotal scoreGradient(
            DocumentBatch batch, ScoreLoss loss, Tensor last, Tensor dLast, GradientAccumulator gradients) {
        Tensor scored = indices(batch.scored());
        LossTotal[] total = new LossTotal[1];
        TensorScope.run(() -> {
            Normalization norm = model.finalNorm(parameters, hardware());
            Tensor hidden = last.index_select(0, scored);
            Tensor normalized = norm.forward(hidden);
            Tensor dNormalized = torch.empty_like(normalized);
            ScoreHead head = model.scoreHead(parameters, hardware());
            total[0] = head.gradient(batch, loss, normalized, dNormalized, gradients);
            dLast.index_copy_(0, scored, norm.backward(dNormalized, hidden, gradients));
        });
        return total[0];
    }

    private Tensor embed(Tensor ids, DocumentBatch batch) {
        Tensor embedded = model.embedding().of(parameters, ids);
        if (noise != null) {
            noise.addTo(embedded, batch);
        }

        return embedded;
    }

    /** The output of the last layer. */
    private Tensor forward(Tensor embedded, PassContext context, LayerStates states) {
        Tensor state = embedded;
        for (DecoderLayer layer : model.layers()) {
            endIfStopped();
            model.ask(layer.index() + 1);
            state = states.forward(state, () -> layer.open(parameters, workspace, context, dropout));
        }

        return state;
    }

    private Tensor lastHidden(DocumentBatch batch, PassContext context) {
        return TensorScope.keep(() -> {
            Tensor state = model.embedding().of(parameters, indices(batch.ids()));
            for (DecoderLayer layer : model.layers()) {
                Tensor below = state;
                model.ask(layer.index() + 1);
                state = forward(layer, below, context);
                TensorScope.free(below);
            }

            return state;
        });
    }

    private Tensor forward(DecoderLayer layer, Tensor input, PassContext context) {
        endIfStopped();
        return TensorScope.keep(
                () -> layer.open(parameters, workspace, context, dropout).forward(input));
    }

    /** Goes down from the last layer; what a layer has used is freed at once. */
    private Tensor backward(LayerStates states, Tensor dLast, PassContext context, GradientAccumulator gradients) {
        Tensor gradient = dLast;
        for (int i = model.layers().size() - 1; i >= 0; i--) {
            endIfStopped();
            DecoderLayer layer = model.layers().get(i);
            model.ask(i - 1);
            gradient = states.backward(gradient, () -> layer.open(parameters, workspace, context, dropout), gradients);
        }

        return gradient;
    }

    private void addEmbeddingGradient(Tensor ids, Tensor gradient, GradientAccumulator gradients) {
        TokenEmbedding embedding = model.embedding();
        Parameter place = embedding.place();
        if (place != null) {
            TensorScope.run(() -> {
                Tensor sum = hardware().zeros(ScalarType.Float, place.shape());
                gradients.add(
                        place,
                        sum.index_add_(0, ids, gradient.to(ScalarType.Float)).mul_(embedding.factor()));
            });
        }
    }

    private void endIfStopped() {
        if (stopped.getAsBoolean()) {
            throw new CancellationException("Cannot finish a micro-batch: its task was cancelled");
        }
    }

    Hardware hardware() {
        return workspace.hardware();
    }

    private Tensor indices(int[] values) {
        return hardware()
                .on(TensorMemory.longs(Arrays.stream(values).asLongStream().toArray()));
    }
}
