package org.sparkqlora.model;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.concurrent.CompletableFuture;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import org.sparkqlora.model.adapter.Dropout;
import org.sparkqlora.model.layout.ModelSpec;
import org.sparkqlora.model.loss.AnswerLoss;
import org.sparkqlora.model.loss.LossTotal;
import org.sparkqlora.model.loss.ScoreLoss;
import org.sparkqlora.tensor.BoundedParallelPasses;
import org.sparkqlora.tensor.FlatVector;
import org.sparkqlora.tensor.VectorPool;
import org.sparkqlora.tokenizer.packing.TokenRow;

/**
 * Gradients of micro-batches: as many pass at once as there are threads, the first into the sum and each other into a vector of its
 * own, and those are added in the order of the micro-batches.
 */
final class GradientPasses {
    /** The gradient of the cross-entropy of trained tokens. */
    static final PassGradient OF_TOKENS = (pass, rows, gradient, lossScale) -> {
        DocumentBatch batch = new DocumentBatch(rows);
        return pass.gradient(batch, accumulator(batch, gradient, lossScale));
    };

    private final DecoderModel model;
    private final PassPool pool;
    private final PassRunner runner;
    private final double dropoutProbability;
    private final double noise;
    private final boolean trainsAdaptersAlone;
    private final VectorPool laneGradients;

    GradientPasses(DecoderModel model, ModelSpec spec, PassRunner runner) {
        this.model = model;
        this.pool = runner.pool();
        this.runner = runner;
        this.dropoutProbability = spec.lora() == null ? 0 : spec.lora().dropout();
        this.noise = spec.noise();
        this.trainsAdaptersAlone = spec.trainsAdaptersAlone();
        this.laneGradients = new VectorPool(model.parameters().size());
    }

    /** The gradient of a loss of a micro-batch, given a pass over it. */
    interface PassGradient {
        LossTotal add(ModelPass pass, List<TokenRow> rows, FlatVector gradient, OptionalDouble lossScale);
    }

    /**
     * The gradient of a loss of answers.
     *
     * @param reference null where there is none, or rows hold its log-probabilities
     */
    record OfAnswers(AnswerLoss loss, @Nullable BoundParameters reference) implements PassGradient {
        @Override
        public LossTotal add(ModelPass pass, List<TokenRow> rows, FlatVector gradient, OptionalDouble lossScale) {
            DocumentBatch batch = new DocumentBatch(rows, loss.predicted());
            float[] byReference = reference == null ? null : pass.losses(rows, loss.predicted(), reference);
            return pass.gradient(batch, loss, byReference, accumulator(batch, gradient, lossScale));
        }
    }

    /** The gradient of a loss of scores. */
    record OfScores(ScoreLoss loss) implements PassGradient {
        @Override
        public LossTotal add(ModelPass pass, List<TokenRow> rows, FlatVector gradient, OptionalDouble lossScale) {
            DocumentBatch batch = new DocumentBatch(rows);
            int documents = batch.documents().size();
            return pass.gradient(batch, loss, GradientAccumulator.scaled(gradient, lossScale, documents));
        }
    }

    private static GradientAccumulator accumulator(DocumentBatch batch, FlatVector gradient, OptionalDouble lossScale) {
        return GradientAccumulator.scaled(gradient, lossScale, batch.targets().length);
    }

    /** Adds the gradient of one micro-batch, computed with all threads. */
    LossTotal add(BoundParameters parameters, MicroBatch only, FlatVector gradient, OptionalDouble lossScale) {
        return runner.one(entry -> start(parameters, only, gradient, lossScale, OF_TOKENS, entry));
    }

    /** Adds the gradients of micro-batches; see {@link DecoderModel#addGradients}. */
    List<LossTotal> add(
            BoundParameters parameters,
            List<MicroBatch> microBatches,
            FlatVector gradient,
            OptionalDouble lossScale,
            PassGradient loss) {
        // the gradient of an embedding is too large to have several, and a tied one is added to twice in a pass
        BoundedParallelPasses lanes = pool.lanes(trainsAdaptersAlone ? microBatches.size() : 1);
        List<LossTotal> losses = new ArrayList<>();
        if (lanes.count() == 1) {
            runner.all(
                    lanes,
                    microBatches.iterator(),
                    (each, entry) -> start(parameters, each, gradient, lossScale, loss, entry),
                    losses::add);
            return losses;
        }

        runner.all(
                lanes,
                IntStream.range(0, microBatches.size()).iterator(),
                (each, entry) -> {
                    Optional<FlatVector> own = each == 0 ? Optional.empty() : Optional.of(laneGradients.zeros());
                    return start(parameters, microBatches.get(each), own.orElse(gradient), lossScale, loss, entry)
                            .thenApply(found -> new LaneGradient(found, own));
                },
                lane -> {
                    losses.add(lane.loss());
                    lane.addTo(gradient);
                });
        return losses;
    }

    /**
     * The gradient that a lane computed of a micro-batch.
     *
     * @param gradient empty if it was added to the sum, as that of the first micro-batch is
     */
    private record LaneGradient(LossTotal loss, Optional<FlatVector> gradient) {
        private void addTo(FlatVector sum) {
            gradient.ifPresent(own -> {
                sum.addAll(own);
                own.close();
            });
        }
    }

    private CompletableFuture<LossTotal> start(
            BoundParameters parameters,
            MicroBatch microBatch,
            FlatVector gradient,
            OptionalDouble lossScale,
            PassGradient loss,
            PassRunner.Entry entry) {
        Dropout dropout = dropoutProbability == 0 ? null : new Dropout(dropoutProbability, microBatch.passSeed());
        EmbeddingNoise embeddingNoise = noise == 0 ? null : new EmbeddingNoise(noise, microBatch.passSeed());
        return model.startPass(
                parameters,
                dropout,
                embeddingNoise,
                entry,
                pass -> loss.add(pass, microBatch.rows(), gradient, lossScale));
    }
}
