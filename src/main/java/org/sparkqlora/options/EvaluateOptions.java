package org.sparkqlora.options;

import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import org.sparkqlora.model.layout.Method;
import org.sparkqlora.spark.cluster.Location;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** The options of {@code evaluate}. */
@OptionGroup.In(OptionGroup.RUN)
public final class EvaluateOptions {
    @Mixin
    public ModelOptions model = new ModelOptions();

    @OptionGroup.In(OptionGroup.ADAPTER)
    @OptionGroup.Common
    @Option(names = "--adapter", paramLabel = "DIR", description = "Adapter in PEFT layout. Default: the base alone.")
    @Nullable
    public Location adapter;

    @Mixin
    public DataOptions data = new DataOptions();

    @Mixin
    public ObjectiveOptions objective = new ObjectiveOptions();

    @OptionGroup.Common
    @Option(
            names = "--micro-batch-size",
            defaultValue = "1",
            paramLabel = "ROWS",
            description = "Rows that pass through the model at once. Default: ${DEFAULT-VALUE}.")
    public int microBatchSize = 1;

    @OptionGroup.Common
    @Option(
            names = "--per-example",
            paramLabel = "FILE",
            description =
                    "Also writes a JSON line a document, pair or answer: loss_sum, tokens, and rewards where there are any. In the order of the rows.")
    @Nullable
    public Path perExample;

    @OptionGroup.Common
    @Option(
            names = "--prepared",
            paramLabel = "PATH",
            description =
                    "Folder for the prepared rows, which every executor can read. Default: a temporary one on this host, deleted afterwards.")
    @Nullable
    public String prepared;

    @Mixin
    public ClusterOptions cluster = new ClusterOptions();

    public void check(Problems problems) {
        cluster.check(problems);
        model.check(problems);
        problems.require(model.method != Method.FULL, "--method: expected qlora or lora, found full");
        problems.requireFolder("--adapter", adapter);
        data.check(problems);
        objective.check(problems, data, false);
        problems.require(
                !data.objective.scoresTexts() || adapter != null,
                "--objective %s: expected --adapter with it, which has the head, found none",
                data.objective.optionName());
        problems.requirePlaceOrContent("--prepared", prepared == null ? null : Location.parse(prepared));
        problems.requireOwn("--per-example", perExample, "{\"loss_sum\":");
        problems.requireAtLeast("--micro-batch-size", 1, microBatchSize);
    }
}
