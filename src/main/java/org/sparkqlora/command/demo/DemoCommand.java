package org.sparkqlora.command.demo;

import java.nio.file.Path;
import org.sparkqlora.command.Command;
import org.sparkqlora.options.Console;
import org.sparkqlora.options.Problems;
import picocli.CommandLine;
import picocli.CommandLine.Option;

/** {@code demo}: the whole way on a toy model, with nothing downloaded. */
@CommandLine.Command(
        name = "demo",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        abbreviateSynopsis = true,
        description = "Makes a tiny model, teaches it a toy language, fine-tunes it with QLoRA on two shards, and"
                + " compares answers before and after. Downloads nothing.")
public final class DemoCommand implements Command {
    @Option(
            names = "--output",
            defaultValue = "target/demo",
            paramLabel = "DIR",
            description = "Made anew each time. Default: ${DEFAULT-VALUE}.")
    Path output = Path.of("target", "demo");

    @Option(
            names = "--seed",
            defaultValue = "42",
            paramLabel = "N",
            description = "Of the model, the data and the training. Default: ${DEFAULT-VALUE}.")
    long seed = 42;

    @Override
    public void check(Problems problems) {
        problems.requirePlaceForFolder("--output", output);
    }

    @Override
    public String run(Console console) {
        return new Demo(new DemoFolder(output, seed), console).run();
    }
}
