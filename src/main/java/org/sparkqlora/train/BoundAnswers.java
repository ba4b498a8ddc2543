package org.sparkqlora.train;

import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.OptionalDouble;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.sparkqlora.model.BoundParameters;
import org.sparkqlora.model.DecoderModel;
import org.sparkqlora.model.MicroBatch;
import org.sparkqlora.model.generation.GenerationSpec;
import org.sparkqlora.model.generation.PromptedText;
import org.sparkqlora.model.loss.AnswerLoss;
import org.sparkqlora.model.loss.AnswerLoss.Answers;
import org.sparkqlora.model.loss.AnswerLoss.Predicted;
import org.sparkqlora.model.loss.LossTotal;
import org.sparkqlora.model.loss.LossTotal.Measures;
import org.sparkqlora.objective.AnswerObjective;
import org.sparkqlora.tensor.FlatVector;
import org.sparkqlora.tokenizer.packing.TokenRow;

/**
 * A decoder whose loss is that of an objective over answers, at one version of its parameters.
 *
 * @param sharedPrompts whether the prompt of a pair passes once for both answers
 * @param reference at which answers are measured; null where the objective has none, and where rows hold its log-probabilities
 */
record BoundAnswers(
        DecoderModel model,
        BoundParameters parameters,
        OptionalDouble lossScale,
        AnswerObjective objective,
        boolean sharedPrompts,
        @Nullable BoundParameters reference)
        implements BoundModel {
    @Override
    public LossTotal addGradient(List<TokenRow> microBatch, FlatVector gradient, long passSeed) {
        Measures own = batchSums(List.of(new MicroBatch(microBatch, passSeed)));
        return addGradients(List.of(new MicroBatch(microBatch, passSeed)), own, gradient)
                .get(0);
    }

    @Override
    public List<LossTotal> addGradients(List<MicroBatch> microBatches, Measures ofBatch, FlatVector gradient) {
        List<MicroBatch> trained = microBatches.stream()
                .map(each -> new MicroBatch(trained(each.rows()), each.passSeed()))
                .toList();
        return model.addGradients(parameters, trained, gradient, lossScale, objective.loss(ofBatch), reference);
    }

    @Override
    public boolean needsBatchSums() {
        return objective.needsBatchSums();
    }

    @Override
    public Measures batchSums(List<MicroBatch> microBatches) {
        Measures sums = Measures.NONE;
        for (MicroBatch each : microBatches) {
            sums = sums.plus(objective.batchSums(passed(each.rows()), this::scored));
        }

        return sums;
    }

    private Answers scored(List<TokenRow> rows) {
        return model.answers(parameters, reference, rows, Predicted.TRAINED);
    }

    private List<TokenRow> trained(List<TokenRow> rows) {
        return passed(rows).stream().map(objective::trained).toList();
    }

    private List<TokenRow> passed(List<TokenRow> rows) {
        return ObjectiveGradientModel.passed(rows, sharedPrompts);
    }

    /** The loss of each example, as of a batch of the micro-batch alone. */
    @Override
    public List<LossTotal> losses(List<TokenRow> microBatch) {
        AnswerLoss loss = objective.loss(objective.batchSums(passed(microBatch), this::scored));
        return examples(model.answers(parameters, reference, trained(microBatch), loss.predicted()), loss);
    }

    private List<LossTotal> examples(Answers answers, AnswerLoss loss) {
        List<LossTotal> totals = new ArrayList<>();
        for (int first = 0; first < answers.documents(); first += objective.documents()) {
            Answers example = answers.only(first, objective.documents());
            totals.add(loss.of(example, new float[example.losses().length]));
        }

        return totals;
    }

    @Override
    public int[] generate(int[] prompt, GenerationSpec spec) {
        return model.generate(parameters, prompt, spec, id -> {});
    }

    @Override
    public void generate(Iterator<PromptedText> texts, Consumer<int[]> sink) {
        model.generate(parameters, texts, sink);
    }

    @Override
    public void close() {
        parameters.close();
    }
}
