package org.sparkqlora.command;

import org.sparkqlora.options.Console;
import org.sparkqlora.options.OptionGroup;
import org.sparkqlora.options.Problems;
import org.sparkqlora.options.TrainOptions;
import org.sparkqlora.run.train.TrainedJson;
import org.sparkqlora.run.train.TrainingJob;
import picocli.CommandLine;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code train}: fine-tunes a model on the cluster. */
@OptionGroup.In(OptionGroup.RUN)
@CommandLine.Command(
        name = "train",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        abbreviateSynopsis = true,
        description = "Fine-tunes a model and writes an adapter in PEFT layout. Run again, it goes on from its newest"
                + " checkpoint.")
public final class TrainCommand implements Command {
    @Mixin
    public TrainOptions options = new TrainOptions();

    @Option(
            names = "--dry-run",
            description =
                    "Check options, model, data and cluster, and stop before any work. Tells what memory it would take.")
    boolean dryRun;

    @Override
    public void check(Problems problems) {
        options.checkAll(problems);
    }

    @Override
    public String run(Console console) {
        TrainingJob job = new TrainingJob(options, console);
        return dryRun ? SummaryJson.checked(job.check()) : TrainedJson.write(job.run());
    }
}
