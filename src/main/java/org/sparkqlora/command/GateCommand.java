package org.sparkqlora.command;

import org.jspecify.annotations.Nullable;
import org.sparkqlora.input.BadInputException;
import org.sparkqlora.options.Console;
import org.sparkqlora.options.Problems;
import org.sparkqlora.options.Required;
import org.sparkqlora.spark.cluster.Location;
import picocli.CommandLine;
import picocli.CommandLine.Option;

/** {@code gate}: whether a model is good enough to go on with. */
@CommandLine.Command(
        name = "gate",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        abbreviateSynopsis = true,
        description =
                "Ends with 0 if an evaluation is good enough, otherwise with 64, so that a scheduler stops there and"
                        + " does not try again.")
public final class GateCommand implements Command {
    @Option(names = "--evaluation", required = true, paramLabel = "FILE", description = "What evaluate --result wrote.")
    @Nullable
    Location evaluation;

    @Option(
            names = "--max-loss",
            required = true,
            paramLabel = "X",
            description = "The largest mean loss that is good enough.")
    @Nullable
    Double maxLoss;

    @Override
    public void check(Problems problems) {
        problems.require(
                maxLoss == null || maxLoss > 0 && Double.isFinite(maxLoss),
                "--max-loss: expected a number above 0, found %s",
                maxLoss);
    }

    @Override
    public String run(Console console) {
        Location file = Required.value("--evaluation", evaluation);
        double most = Required.value("--max-loss", maxLoss);
        String text = file.text()
                .orElseThrow(() -> new BadInputException(
                        "Cannot read %s: expected what evaluate --result wrote, found nothing".formatted(file)));
        double loss = ResultJson.evaluatedLoss(file.toString(), text);
        if (!(loss <= most)) {
            throw new BadInputException(
                    "Cannot pass the gate: expected a loss of at most %s, found %s in %s".formatted(most, loss, file));
        }

        return SummaryJson.gated(loss, most);
    }
}
