package org.sparkqlora.options;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Objects;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.sparkqlora.model.layout.Method;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** The options of {@code generate}. */
@OptionGroup.In(OptionGroup.RUN)
public final class GenerateOptions {
    @Mixin
    public ModelOptions model = new ModelOptions();

    @Mixin
    public UsedAdapters adapters = new UsedAdapters();

    @OptionGroup.Common
    @Option(
            names = "--prompt",
            paramLabel = "TEXT",
            description = "Asked as a user's turn, or continued where the model has no chat template.")
    @Nullable
    public String prompt;

    @OptionGroup.Common
    @Option(
            names = "--prompts",
            paramLabel = "FILE",
            description =
                    "Instead of --prompt: a file of prompts. JSON lines {\"messages\": [...]}, whose last turn is left out when it is the assistant's, or {\"prompt\": ...}, a list of messages or a text that is continued as it is; or a text file, of which each line is a --prompt.")
    @Nullable
    public Path prompts;

    @OptionGroup.Common
    @Option(
            names = "--output",
            paramLabel = "FILE",
            description =
                    "With --prompts: file for the answers. It gets a JSON line each, in the order of the prompts: prompt, text, tokens. Until all are made they are in FILE.unfinished, with which the same command goes on.")
    @Nullable
    public Path output;

    @Mixin
    public AnswerTableOptions tables = new AnswerTableOptions();

    @Option(
            names = "--answer-losses",
            description =
                    "Tell beside each answer (loss_sum, loss_tokens) or in its row of a table (answer_loss) its loss, the sum of -log p of its tokens in nats, whatever the temperature, and their number; the token that ends an answer is one.")
    public boolean losses;

    @Mixin
    public SamplingOptions choice = new SamplingOptions();

    @OptionGroup.Common
    @Option(
            names = "--chat-template",
            paramLabel = "FILE",
            description = "Jinja template to write the prompt with, instead of the model's own.")
    @Nullable
    public Path chatTemplate;

    @Mixin
    public LineageOptions lineage = new LineageOptions();

    @Mixin
    public ClusterOptions cluster = new ClusterOptions();

    public void check(Problems problems) {
        cluster.check(problems);
        model.check(problems);
        problems.require(model.method != Method.FULL, "--method: expected qlora or lora, found full");
        adapters.check(problems);
        problems.require(
                prompt == null || !adapters.areNamed(),
                "--adapter: expected DIR alone with --prompt, found NAME=DIR, which prompts of --prompts or --prompt-table choose");
        problems.requireFile("--chat-template", chatTemplate);
        choice.check(problems);
        tables.check(problems);
        lineage.check(problems);
        problems.require(
                !lineage.isAsked() || prompt == null,
                "--lineage: expected --prompts or --prompt-table with it, found --prompt");
        problems.require(
                tables.commitRows == null || prompt == null,
                "--commit-rows: expected --prompts or --prompt-table with it, found --prompt");
        long asked = Stream.of(prompt, prompts, tables.prompts)
                .filter(Objects::nonNull)
                .count();
        problems.require(
                asked == 1,
                "--prompt: expected this, --prompts or --prompt-table, found %s",
                asked == 0 ? "none" : "several");
        problems.require(
                (prompts == null) == (output == null),
                "--output: expected together with --prompts, found one of the two");
        problems.requireFile("--prompts", prompts);
        problems.requirePlaceForFile("--output", output);
        problems.require(
                output == null || !Files.exists(output),
                "--output: Cannot write %s: expected a file that does not exist yet, found one",
                output);
    }
}
