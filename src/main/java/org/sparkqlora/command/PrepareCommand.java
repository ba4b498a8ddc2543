package org.sparkqlora.command;

import org.sparkqlora.options.Console;
import org.sparkqlora.options.PrepareOptions;
import org.sparkqlora.options.Problems;
import org.sparkqlora.run.prepare.PreparationJob;
import picocli.CommandLine;
import picocli.CommandLine.Mixin;

/** {@code prepare}: makes rows of examples once, for many runs. */
@CommandLine.Command(
        name = "prepare",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        abbreviateSynopsis = true,
        description = "Makes fixed-width rows of token ids and loss masks, which train and evaluate take as --data.")
public final class PrepareCommand implements Command {
    @Mixin
    PrepareOptions options = new PrepareOptions();

    @Override
    public void check(Problems problems) {
        options.check(problems);
    }

    @Override
    public String run(Console console) {
        return SummaryJson.prepared(new PreparationJob(options, console).run());
    }
}
