package org.sparkqlora.cli;

import java.nio.file.Path;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.sparkqlora.cli.Answers.Answer;
import org.sparkqlora.model.Method;
import picocli.CommandLine;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code generate}: what a model answers. */
@CommandLine.Command(
        name = "generate",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        abbreviateSynopsis = true,
        description = "Answers a prompt with the likeliest token each time. The text appears on stderr as it grows,"
                + " a JSON summary is the last line on stdout. Runs in this process.")
final class GenerateCommand implements Command {
    @Mixin
    ModelOptions model = new ModelOptions();

    @Option(names = "--adapter", paramLabel = "DIR", description = "Adapter in PEFT layout. Default: the base alone.")
    @Nullable
    Location adapter;

    @Option(
            names = "--prompt",
            required = true,
            paramLabel = "TEXT",
            description = "Asked as a user's turn when the model has a chat template, else continued as it is.")
    @Nullable
    String prompt;

    @Option(
            names = "--max-new-tokens",
            defaultValue = "128",
            paramLabel = "N",
            description = "Default: ${DEFAULT-VALUE}.")
    int maxNewTokens = 128;

    @Option(
            names = "--chat-template",
            paramLabel = "FILE",
            description = "Jinja template to write the prompt with, instead of the model's own.")
    @Nullable
    Path chatTemplate;

    @Override
    public void check(Problems problems) {
        model.check(problems);
        problems.require(model.method != Method.FULL, "--method: expected qlora or lora, found full");
        problems.requireFolder("--adapter", adapter);
        problems.requireFile("--chat-template", chatTemplate);
        problems.requireAtLeast("--max-new-tokens", 1, maxNewTokens);
    }

    @Override
    public void run(Console console) {
        Answer answer = answer(console::part);
        console.note("");
        console.result(SummaryJson.generated(Required.value("--prompt", prompt), answer));
    }

    /**
     * What the model answers.
     *
     * @param sink gets the text as it grows
     */
    Answer answer(Consumer<String> sink) {
        BaseCheck.check(model);
        AdapterStart start = adapter == null ? AdapterStart.none() : AdapterStart.from(adapter);
        try (Answers answers = Answers.open(model.source(start.lora()), start, chatTemplate)) {
            return answers.to(Required.value("--prompt", prompt), maxNewTokens, sink);
        }
    }
}
