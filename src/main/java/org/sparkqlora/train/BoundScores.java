package org.sparkqlora.train;

import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.OptionalDouble;
import java.util.function.Consumer;
import org.sparkqlora.model.BoundParameters;
import org.sparkqlora.model.DecoderModel;
import org.sparkqlora.model.MicroBatch;
import org.sparkqlora.model.generation.GenerationSpec;
import org.sparkqlora.model.loss.LossTotal;
import org.sparkqlora.model.loss.ScoreLoss.Scores;
import org.sparkqlora.objective.ScoreObjective;
import org.sparkqlora.tensor.FlatVector;
import org.sparkqlora.tokenizer.packing.TokenRow;

/**
 * A decoder whose loss is that of an objective over scores of texts, at one version of its parameters.
 *
 * @param sharedPrompts whether the prompt of a pair passes once for both answers
 */
record BoundScores(
        DecoderModel model,
        BoundParameters parameters,
        OptionalDouble lossScale,
        ScoreObjective objective,
        boolean sharedPrompts)
        implements ScoringModel {
    @Override
    public LossTotal addGradient(List<TokenRow> microBatch, FlatVector gradient, long passSeed) {
        return addGradients(List.of(new MicroBatch(microBatch, passSeed)), gradient)
                .get(0);
    }

    @Override
    public List<LossTotal> addGradients(List<MicroBatch> microBatches, FlatVector gradient) {
        List<MicroBatch> passed = microBatches.stream()
                .map(each -> new MicroBatch(ObjectiveGradientModel.passed(each.rows(), sharedPrompts), each.passSeed()))
                .toList();
        return model.addGradients(parameters, passed, gradient, lossScale, objective.loss());
    }

    @Override
    public List<LossTotal> losses(List<TokenRow> microBatch) {
        List<LossTotal> only = new ArrayList<>();
        losses(List.of(microBatch).iterator(), only::addAll);
        return only;
    }

    @Override
    public void losses(Iterator<List<TokenRow>> microBatches, Consumer<List<LossTotal>> sink) {
        model.scores(
                parameters,
                new Iterator<>() {
                    @Override
                    public boolean hasNext() {
                        return microBatches.hasNext();
                    }

                    @Override
                    public List<TokenRow> next() {
                        return ObjectiveGradientModel.passed(microBatches.next(), sharedPrompts);
                    }
                },
                scores -> sink.accept(examples(scores)));
    }

    @Override
    public Scores scores(List<TokenRow> rows) {
        List<Scores> only = new ArrayList<>();
        model.scores(parameters, List.of(rows).iterator(), only::add);
        return only.get(0);
    }

    private List<LossTotal> examples(Scores scores) {
        List<LossTotal> totals = new ArrayList<>();
        for (int first = 0; first < scores.documents(); first += objective.documents()) {
            Scores example = scores.only(first, objective.documents());
            totals.add(objective.loss().of(example, new float[example.all().length]));
        }

        return totals;
    }

    @Override
    public int[] generate(int[] prompt, GenerationSpec spec) {
        throw new IllegalStateException("Cannot continue a text: the model scores texts");
    }

    @Override
    public void close() {
        parameters.close();
    }
}
