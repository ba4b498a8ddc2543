package org.sparkqlora.options;

import org.jspecify.annotations.Nullable;
import org.sparkqlora.spark.cluster.Location;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** The options of {@code prepare}. */
@OptionGroup.In(OptionGroup.RUN)
public final class PrepareOptions {
    @OptionGroup.In(OptionGroup.MODEL)
    @OptionGroup.Common
    @Option(
            names = "--model",
            converter = ModelAddress.class,
            required = true,
            paramLabel = "PATH",
            description = "Model whose tokenizer and chat template are used.")
    @Nullable
    public Location model;

    @Mixin
    public DataOptions data = new DataOptions();

    @Mixin
    public TokenOptions tokens = new TokenOptions();

    @OptionGroup.Common
    @Option(
            names = "--output",
            required = true,
            paramLabel = "PATH",
            description = "Folder for the rows, on any Hadoop file system.")
    @Nullable
    public String output;

    @OptionGroup.Common
    @Option(
            names = "--report",
            description =
                    "Also print lengths and the first rows, with marks on what is trained, and write them to report.txt in"
                            + " --output. report.json is always written.")
    public boolean report;

    @Mixin
    public ClusterOptions cluster = new ClusterOptions();

    public void check(Problems problems) {
        cluster.check(problems);
        ModelPath.check(problems, "--model", model);
        data.check(problems);
        data.checkLabels(problems);
        tokens.check(problems);
        problems.requirePlaceOrContent("--output", output == null ? null : Location.parse(output));
    }
}
