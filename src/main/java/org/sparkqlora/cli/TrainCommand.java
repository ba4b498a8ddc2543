package org.sparkqlora.cli;

import java.util.ArrayList;
import java.util.List;
import org.sparkqlora.model.Method;
import picocli.CommandLine;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code train}: fine-tunes a model on the cluster. */
@CommandLine.Command(
        name = "train",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        abbreviateSynopsis = true,
        description = "Fine-tunes a model and writes an adapter in PEFT layout. Run again, it goes on from its newest"
                + " checkpoint.")
final class TrainCommand implements Command {
    @Mixin
    ModelOptions model = new ModelOptions();

    @Mixin
    DataOptions data = new DataOptions();

    @Option(names = "--eval-data", split = ",", paramLabel = "PATH", description = "Held-out examples, as --data.")
    List<String> heldOut = new ArrayList<>();

    @Mixin
    RunOptions run = new RunOptions();

    @Mixin
    AdapterOptions adapter = new AdapterOptions();

    @Mixin
    UpdateOptions update = new UpdateOptions();

    @Override
    public void check(Problems problems) {
        model.check(problems);
        data.check(problems);
        run.check(problems);
        adapter.check(problems);
        update.check(problems);
        problems.require(
                update.loraPlusRatio == 1 || model.method != Method.FULL,
                "--loraplus-ratio: expected --method qlora or lora with it, found full");
    }

    @Override
    public void run(Console console) {
        console.result(new Training(this, console).run());
    }
}
