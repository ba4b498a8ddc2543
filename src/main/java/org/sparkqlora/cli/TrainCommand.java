package org.sparkqlora.cli;

import java.util.List;
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
final class TrainCommand implements Command {
    @Mixin
    TrainOptions options = new TrainOptions();

    @Option(
            names = "--dry-run",
            description =
                    "Check options, model, data and cluster, and stop before any work. Tells what memory it would take.")
    boolean dryRun;

    @Override
    public void check(Problems problems) {
        options.check(problems);
        options.checkMethods("--method", List.of(options.model.method), problems);
    }

    @Override
    public void run(Console console) {
        Training.Until until = dryRun ? Training.Until.CHECKED : Training.Until.PUBLISHED;
        new Training(options, until, console).run().ifPresent(trained -> console.result(trained.json()));
    }
}
