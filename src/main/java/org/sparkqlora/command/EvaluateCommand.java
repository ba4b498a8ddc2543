package org.sparkqlora.command;

import java.io.BufferedWriter;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import org.sparkqlora.model.loss.LossTotal;
import org.sparkqlora.objective.ObjectiveKind;
import org.sparkqlora.options.Console;
import org.sparkqlora.options.EvaluateOptions;
import org.sparkqlora.options.Problems;
import org.sparkqlora.run.evaluate.EvaluationJob;
import org.sparkqlora.run.evaluate.EvaluationJob.Evaluation;
import org.sparkqlora.run.model.BaseCheck;
import org.sparkqlora.run.monitor.DeadModel;
import org.sparkqlora.storage.LocalFiles;
import picocli.CommandLine;
import picocli.CommandLine.Mixin;

/** {@code evaluate}: the loss of a model, with or without an adapter. */
@CommandLine.Command(
        name = "evaluate",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        abbreviateSynopsis = true,
        description =
                "Prints mean loss, perplexity and number of trained tokens over examples, or the metrics of an objective over answers, as JSON.")
public final class EvaluateCommand implements Command {
    @Mixin
    EvaluateOptions options = new EvaluateOptions();

    @Override
    public void check(Problems problems) {
        options.check(problems);
    }

    @Override
    public String run(Console console) {
        EvaluationJob job = new EvaluationJob(options, console);
        Evaluation evaluation = options.perExample == null ? job.run() : run(job, options.perExample);
        if (options.data.objective == ObjectiveKind.SFT) {
            tellIfDead(evaluation, console);
        }

        return SummaryJson.evaluated(evaluation);
    }

    private void tellIfDead(Evaluation evaluation, Console console) {
        new DeadModel(BaseCheck.config(options.model).vocabularySize(), line -> console.note("%s", line))
                .evaluated("the loss", evaluation.total().mean());
    }

    /** With a line a document in {@code file}. */
    private static Evaluation run(EvaluationJob job, Path file) {
        try {
            return LocalFiles.replaceBy(file, out -> job.run(document -> write(document, out)));
        } catch (IOException e) {
            throw new UncheckedIOException("Failed to write " + file, e);
        }
    }

    private static void write(LossTotal document, BufferedWriter out) {
        try {
            out.write(SummaryJson.document(document));
            out.newLine();
        } catch (IOException e) {
            throw new UncheckedIOException("Failed to write the loss of a document", e);
        }
    }
}
