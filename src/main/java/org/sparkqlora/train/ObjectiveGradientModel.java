package org.sparkqlora.train;

import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.function.LongFunction;
import org.jspecify.annotations.Nullable;
import org.sparkqlora.model.BoundParameters;
import org.sparkqlora.model.DecoderModel;
import org.sparkqlora.model.layout.ParameterIndex;
import org.sparkqlora.model.loss.AnswerLoss.Predicted;
import org.sparkqlora.objective.AnswerObjective;
import org.sparkqlora.objective.Objective;
import org.sparkqlora.objective.ScoreObjective;
import org.sparkqlora.tensor.FlatVector;
import org.sparkqlora.tensor.cuda.GpuAdamW;
import org.sparkqlora.tokenizer.packing.TokenRow;

/** A decoder whose loss is that of an objective over answers or scores. */
public final class ObjectiveGradientModel implements GradientModel {
    private final DecoderGradientModel inner;
    private final Objective objective;
    private final boolean sharedPrompts;
    private final @Nullable BoundParameters reference;

    private ObjectiveGradientModel(
            DecoderGradientModel inner,
            Objective objective,
            boolean sharedPrompts,
            @Nullable BoundParameters reference) {
        this.inner = inner;
        this.objective = objective;
        this.sharedPrompts =
                sharedPrompts && objective.isOfPairs() && inner.decoder().canSharePrompts();
        this.reference = reference;
    }

    /**
     * A model that owns {@code inner}, and closes it also where it cannot be made.
     *
     * @param sharedPrompts whether the prompt of a pair passes once for both answers, where the model can do so
     * @param from what answers are measured from; null where the objective has no reference, and where rows hold its
     *     log-probabilities
     */
    public static ObjectiveGradientModel of(
            DecoderGradientModel inner,
            Objective objective,
            boolean sharedPrompts,
            @Nullable ReferenceParameters from) {
        try {
            return new ObjectiveGradientModel(
                    inner, objective, sharedPrompts, from == null ? null : bound(inner, from));
        } catch (RuntimeException | Error e) {
            inner.close();
            throw e;
        }
    }

    private static BoundParameters bound(DecoderGradientModel model, ReferenceParameters from) {
        try (FlatVector values = from.of(model)) {
            return model.decoder().bind(values);
        }
    }

    /** {@code rows} as they pass through the model. */
    static List<TokenRow> passed(List<TokenRow> rows, boolean sharedPrompts) {
        return sharedPrompts ? rows.stream().map(TokenRow::inPairs).toList() : rows;
    }

    /** The log-probabilities of the reference for the answers of a row, in the places of their documents. */
    public double[] referenceLogProbabilities(TokenRow row) {
        if (reference == null || !(objective instanceof AnswerObjective answers)) {
            throw new IllegalStateException("Cannot score answers by a reference: the model was opened without one");
        }

        return answers.logProbabilities(
                sharedPrompts ? row.inPairs() : row,
                rows -> inner.decoder().answers(reference, null, rows, Predicted.TRAINED));
    }

    @Override
    public ParameterIndex parameters() {
        return inner.parameters();
    }

    @Override
    public FlatVector initialParameters(long seed, LongFunction<FlatVector> zeros) {
        return inner.initialParameters(seed, zeros);
    }

    @Override
    public BoundModel bind(FlatVector parameters, OptionalDouble lossScale) {
        DecoderModel decoder = inner.decoder();
        BoundParameters bound = decoder.bind(parameters);
        return objective instanceof ScoreObjective scores
                ? new BoundScores(decoder, bound, lossScale, scores, sharedPrompts)
                : new BoundAnswers(decoder, bound, lossScale, (AnswerObjective) objective, sharedPrompts, reference);
    }

    @Override
    public Optional<GpuAdamW> gpuUpdate() {
        return inner.gpuUpdate();
    }

    @Override
    public void close() {
        if (reference != null) {
            reference.close();
        }

        inner.close();
    }
}
