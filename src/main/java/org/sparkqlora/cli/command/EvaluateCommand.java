package org.sparkqlora.cli.command;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.List;
import org.sparkqlora.model.LossTotal;
import org.sparkqlora.options.Console;
import org.sparkqlora.options.EvaluateOptions;
import org.sparkqlora.options.Problems;
import org.sparkqlora.run.BaseCheck;
import org.sparkqlora.run.DeadModel;
import org.sparkqlora.run.Evaluation;
import org.sparkqlora.run.EvaluationJob;
import org.sparkqlora.storage.LocalFiles;
import picocli.CommandLine;
import picocli.CommandLine.Mixin;

/** {@code evaluate}: the loss of a model, with or without an adapter. */
@CommandLine.Command(
        name = "evaluate",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        abbreviateSynopsis = true,
        description = "Prints mean loss, perplexity and number of trained tokens over examples, as JSON.")
public final class EvaluateCommand implements Command {
    @Mixin
    EvaluateOptions options = new EvaluateOptions();

    @Override
    public void check(Problems problems) {
        options.check(problems);
    }

    @Override
    public void run(Console console) {
        Evaluation evaluation = new EvaluationJob(options, console).run();
        if (options.perExample != null) {
            write(options.perExample, evaluation.documents());
        }

        new DeadModel(BaseCheck.config(options.model).vocabularySize(), line -> console.note("%s", line))
                .evaluated("the loss", evaluation.total().mean());
        console.result(SummaryJson.evaluated(evaluation));
    }

    private static void write(Path file, List<LossTotal> losses) {
        try {
            LocalFiles.replace(file, losses.stream().map(SummaryJson::document).toList());
        } catch (IOException e) {
            throw new UncheckedIOException("Failed to write " + file, e);
        }
    }
}
