package org.sparkqlora.cli.command;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.LocalDate;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.sparkqlora.model.Method;
import org.sparkqlora.options.ClusterOptions;
import org.sparkqlora.options.Console;
import org.sparkqlora.options.ModelOptions;
import org.sparkqlora.options.OptionGroup;
import org.sparkqlora.options.Problems;
import org.sparkqlora.options.Required;
import org.sparkqlora.options.SamplingOptions;
import org.sparkqlora.run.AdapterStart;
import org.sparkqlora.run.AnswerFile;
import org.sparkqlora.run.AnswerJob;
import org.sparkqlora.run.Answers;
import org.sparkqlora.run.Answers.Answer;
import org.sparkqlora.run.BaseCheck;
import org.sparkqlora.run.PromptFile;
import org.sparkqlora.run.SummaryJson;
import org.sparkqlora.spark.cluster.Location;
import org.sparkqlora.tokenizer.ModelTokenizer;
import org.sparkqlora.tokenizer.TemplateText;
import org.sparkqlora.train.FolderModelSource;
import org.sparkqlora.weights.family.ModelConfig;
import picocli.CommandLine;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code generate}: what a model answers. */
@OptionGroup.In(OptionGroup.RUN)
@CommandLine.Command(
        name = "generate",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        abbreviateSynopsis = true,
        description =
                "Answers a prompt in this process: the text appears on stderr as it grows, a JSON summary is the last"
                        + " line on stdout. Or answers a file of prompts as a Spark job, each on its own; the answers do not"
                        + " depend on the cluster.")
public final class GenerateCommand implements Command {
    @Mixin
    ModelOptions model = new ModelOptions();

    @OptionGroup.In(OptionGroup.ADAPTER)
    @Option(names = "--adapter", paramLabel = "DIR", description = "Adapter in PEFT layout. Default: the base alone.")
    @Nullable
    Location adapter;

    @Option(
            names = "--prompt",
            paramLabel = "TEXT",
            description = "Asked as a user's turn, or continued where the model has no chat template.")
    @Nullable
    String prompt;

    @Option(
            names = "--prompts",
            paramLabel = "FILE",
            description =
                    "Instead of --prompt: a file of prompts. JSON lines {\"messages\": [...]}, whose last turn is left out when it is the assistant's, or {\"prompt\": ...}, a list of messages or a text that is continued as it is; or a text file, of which each line is a --prompt.")
    @Nullable
    Path prompts;

    @Option(
            names = "--output",
            paramLabel = "FILE",
            description =
                    "With --prompts: file for the answers. It gets a JSON line each, in the order of the prompts: prompt, text, tokens.")
    @Nullable
    Path output;

    @Mixin
    SamplingOptions choice = new SamplingOptions();

    @Option(
            names = "--chat-template",
            paramLabel = "FILE",
            description = "Jinja template to write the prompt with, instead of the model's own.")
    @Nullable
    Path chatTemplate;

    @Mixin
    ClusterOptions cluster = new ClusterOptions();

    @Override
    public void check(Problems problems) {
        cluster.check(problems);
        model.check(problems);
        problems.require(model.method != Method.FULL, "--method: expected qlora or lora, found full");
        problems.requireFolder("--adapter", adapter);
        problems.requireFile("--chat-template", chatTemplate);
        choice.check(problems);
        problems.require(
                (prompt == null) != (prompts == null),
                "--prompt: expected this or --prompts, found %s",
                prompt == null ? "neither" : "both");
        problems.require(
                (prompts == null) == (output == null),
                "--output: expected together with --prompts, found one of the two");
        problems.requireFile("--prompts", prompts);
        problems.require(
                output == null || !Files.exists(output),
                "--output: Cannot write %s: expected a file that does not exist yet, found one",
                output);
    }

    @Override
    public void run(Console console) {
        if (prompts != null) {
            answerAll(prompts, Required.value("--output", output), console);
            return;
        }

        Answer answer = answer(console::part, console::note);
        console.note("");
        console.result(SummaryJson.generated(Required.value("--prompt", prompt), answer));
    }

    /**
     * What the model answers.
     *
     * @param sink gets the text as it grows
     * @param note is told what was settled
     */
    public Answer answer(Consumer<String> sink, Consumer<String> note) {
        AdapterStart start = start(BaseCheck.check(model));
        tellDay(note);
        FolderModelSource source = model.source(start.lora(), model.precisionHere(note));
        try (Answers answers = Answers.open(source, start, chatTemplate)) {
            return answers.to(Required.value("--prompt", prompt), choice, sink);
        }
    }

    private void answerAll(Path file, Path target, Console console) {
        ModelConfig config = BaseCheck.check(model);
        AdapterStart start = start(config);
        tellDay(console::note);
        long began = System.nanoTime();
        AnswerJob.Result result = new AnswerJob(model, start, choice, console::note)
                .run(() -> cluster.context("generate", console), new PromptFile(file), config, chatTemplate);
        new AnswerFile(target).write(result.lines());
        console.result(SummaryJson.answered(target, result, (System.nanoTime() - began) / 1e9));
    }

    private void tellDay(Consumer<String> note) {
        TemplateText given = chatTemplate == null ? null : TemplateText.read(chatTemplate);
        if (ModelTokenizer.asksForTheDay(model.folder(), given)) {
            note.accept("The chat template is told the date " + LocalDate.now());
        }
    }

    private AdapterStart start(ModelConfig config) {
        return adapter == null ? AdapterStart.none() : AdapterStart.from(adapter, model.folder(), config);
    }
}
