package org.sparkqlora.options;

import org.jspecify.annotations.Nullable;
import org.sparkqlora.model.Method;
import org.sparkqlora.spark.cluster.Location;
import picocli.CommandLine;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** How a model answers and is measured where a table of rows is the data. */
@CommandLine.Command(name = "use")
public final class UseOptions {
    @Mixin
    public ModelOptions model = new ModelOptions();

    @Option(names = "--adapter", paramLabel = "DIR", description = "Adapter in PEFT layout. Default: the base alone.")
    @Nullable
    public Location adapter;

    @Mixin
    public SamplingOptions choice = new SamplingOptions();

    @Mixin
    public DataOptions data = new DataOptions();

    public void check(Problems problems) {
        model.check(problems);
        problems.require(model.method != Method.FULL, "--method: expected qlora or lora, found full");
        problems.requireFolder("--adapter", adapter);
        choice.check(problems);
        data.check(problems);
    }
}
