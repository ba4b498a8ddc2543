package org.sparkqlora.run.evaluate;

import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import org.apache.spark.api.java.JavaSparkContext;
import org.sparkqlora.checkpoint.AdapterFolder;
import org.sparkqlora.data.ProblemType;
import org.sparkqlora.model.layout.Precision;
import org.sparkqlora.model.loss.LossTotal;
import org.sparkqlora.objective.AnswerObjective;
import org.sparkqlora.objective.ClassReport;
import org.sparkqlora.objective.ClassReport.OfLabel;
import org.sparkqlora.objective.Classification;
import org.sparkqlora.objective.Objective;
import org.sparkqlora.options.Console;
import org.sparkqlora.options.EvaluateOptions;
import org.sparkqlora.options.Required;
import org.sparkqlora.run.model.AdapterStart;
import org.sparkqlora.run.model.BaseCheck;
import org.sparkqlora.run.model.FirstState;
import org.sparkqlora.run.prepare.ModelEncoders;
import org.sparkqlora.run.prepare.Preparation;
import org.sparkqlora.run.prepare.RowWarnings;
import org.sparkqlora.spark.job.SparkEvaluator;
import org.sparkqlora.spark.prepare.PreparationCounts;
import org.sparkqlora.spark.prepare.PreparedData;
import org.sparkqlora.storage.LocalFiles;
import org.sparkqlora.storage.TemporaryFolder;
import org.sparkqlora.train.FolderModelSource;
import org.sparkqlora.train.ModelSource;
import org.sparkqlora.train.ObjectiveModelSource;
import org.sparkqlora.train.ReferenceParameters;
import org.sparkqlora.weights.family.ModelConfig;

/** The loss of a model over examples, computed on the cluster. Driver only. */
public record EvaluationJob(EvaluateOptions options, Console console) {
    /** The loss over all examples. */
    public Evaluation run() {
        return run(document -> {});
    }

    /** @param each takes the loss of every document, in the order of the rows */
    public Evaluation run(Consumer<LossTotal> each) {
        ModelConfig config = BaseCheck.check(options.model);
        if (options.adapter != null) {
            AdapterFolder.readLabels(options.adapter.files(), options.adapter.path())
                    .ifPresent(options.data::useLabels);
        }

        AdapterStart start =
                AdapterStart.of(options.adapter, options.model.folder(), config).scoring(objective());
        ModelEncoders encoders = ModelEncoders.of(options.model.tokenizer(), options.data, start, config);
        JavaSparkContext context = options.cluster.context("evaluate", console);
        try (TemporaryFolder temporary =
                options.prepared == null ? TemporaryFolder.create("spark-qlora-rows-") : null) {
            String folder = temporary == null
                    ? Required.value("--prepared", options.prepared)
                    : LocalFiles.path(temporary.path()).toString();
            PreparedData rows =
                    new Preparation(context, console).rows(options.data.sources, encoders, options.data, folder);
            new RowWarnings(context, console).ofPositions(rows, config);
            LossTotal total = total(context, start, rows, each);
            return new Evaluation(
                    total, measures(total), ofLabels(total), rows.manifest().counts());
        }
    }

    private Map<String, Double> measures(LossTotal total) {
        return objective().metrics(total.measures());
    }

    private List<OfLabel> ofLabels(LossTotal total) {
        return objective() instanceof Classification classes && classes.labels().problem() != ProblemType.REGRESSION
                ? new ClassReport(classes.labels(), total.measures()).ofLabels()
                : List.of();
    }

    private ModelSource evaluated(FolderModelSource source) {
        if (!(objective() instanceof AnswerObjective answers)) {
            return ObjectiveModelSource.of(source, objective(), true);
        }

        ReferenceParameters base =
                answers.reference().map(any -> ReferenceParameters.base(0)).orElse(null);
        return new ObjectiveModelSource(source, answers, true, base);
    }

    private Objective objective() {
        return options.objective.of(options.data, false);
    }

    private LossTotal total(JavaSparkContext context, AdapterStart start, PreparedData rows, Consumer<LossTotal> each) {
        Precision precision = options.model.precision(context, console::note);
        FolderModelSource source = options.model.source(start.lora(), precision);
        int threads = Runtime.getRuntime().availableProcessors();
        ModelSource evaluated = evaluated(source);
        FirstState state = FirstState.of(evaluated, start, 0, threads);
        return new SparkEvaluator(context, evaluated)
                .total(state.parameters(), state.index(), rows, options.microBatchSize, each);
    }

    /**
     * The loss of a model over examples.
     *
     * @param total of all documents, added in the order of the rows
     * @param measures means over pairs, answers or texts, by TRL's names; none of trained tokens
     * @param labels how each label was told from others, of a classification
     * @param data what became of the examples
     */
    public record Evaluation(
            LossTotal total, Map<String, Double> measures, List<OfLabel> labels, PreparationCounts data) {}
}
