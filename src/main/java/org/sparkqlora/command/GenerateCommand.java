package org.sparkqlora.command;

import org.sparkqlora.ml.TableAnswers;
import org.sparkqlora.options.Console;
import org.sparkqlora.options.GenerateOptions;
import org.sparkqlora.options.Problems;
import org.sparkqlora.options.Required;
import org.sparkqlora.run.generate.AnswerJob;
import org.sparkqlora.run.generate.Answers.Answer;
import picocli.CommandLine;
import picocli.CommandLine.Mixin;

/** {@code generate}: answers of a model. */
@CommandLine.Command(
        name = "generate",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        abbreviateSynopsis = true,
        description =
                "Answers a prompt in this process: the text appears on stderr as it grows, a JSON summary is the last"
                        + " line on stdout. Or answers a file of prompts as a Spark job, each on its own; the answers do not"
                        + " depend on the cluster.")
public final class GenerateCommand implements Command {
    @Mixin
    GenerateOptions options = new GenerateOptions();

    @Override
    public void check(Problems problems) {
        options.check(problems);
    }

    @Override
    public String run(Console console) {
        if (options.tables.prompts != null) {
            return SummaryJson.answered(new TableAnswers(options, console).write());
        }

        AnswerJob job = new AnswerJob(options, console);
        if (options.prompts != null) {
            return SummaryJson.answered(job.answers());
        }

        Answer answer = job.answer(console::part);
        console.note("");
        return SummaryJson.generated(Required.value("--prompt", options.prompt), answer);
    }
}
