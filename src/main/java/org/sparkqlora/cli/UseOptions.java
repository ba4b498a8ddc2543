package org.sparkqlora.cli;

import org.jspecify.annotations.Nullable;
import org.sparkqlora.model.Method;
import picocli.CommandLine;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** How a model answers and is measured where a table of rows is the data. */
@CommandLine.Command(name = "use")
final class UseOptions {
    @Mixin
    ModelOptions model = new ModelOptions();

    @Option(names = "--adapter", paramLabel = "DIR", description = "Adapter in PEFT layout. Default: the base alone.")
    @Nullable
    Location adapter;

    @Mixin
    ChoiceOptions choice = new ChoiceOptions();

    @Mixin
    DataOptions data = new DataOptions();

    void check(Problems problems) {
        model.check(problems);
        problems.require(model.method != Method.FULL, "--method: expected qlora or lora, found full");
        problems.requireFolder("--adapter", adapter);
        choice.check(problems);
        data.check(problems);
    }
}
