package org.sparkqlora.run.generate;

import java.nio.file.Path;
import java.time.LocalDate;
import java.util.Collections;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.sparkqlora.model.generation.TokenLosses;
import org.sparkqlora.options.Console;
import org.sparkqlora.options.GenerateOptions;
import org.sparkqlora.options.ModelOptions;
import org.sparkqlora.options.Required;
import org.sparkqlora.run.generate.Answers.Answer;
import org.sparkqlora.run.model.AdapterSet;
import org.sparkqlora.run.model.AdapterStart;
import org.sparkqlora.run.model.BaseCheck;
import org.sparkqlora.tokenizer.ModelTokenizer;
import org.sparkqlora.tokenizer.TemplateText;
import org.sparkqlora.train.FolderModelSource;
import org.sparkqlora.weights.family.ModelConfig;

/** Answers of a model: to one prompt in this process, or to a file of prompts on the cluster. Driver only. */
public final class AnswerJob {
    private final GenerateOptions options;
    private final ModelOptions model;
    private final Console console;

    public AnswerJob(GenerateOptions options, Console console) {
        this.options = options;
        this.model = options.model;
        this.console = console;
    }

    /**
     * Answers to a file of prompts.
     *
     * @param output a file with a JSON line for each prompt, in their order
     * @param earlier prompts that an earlier command had answered
     * @param tokens of all answers
     * @param adapters what each answered by its name, empty for the one without; none where no adapter has a name
     * @param tokensNow of those that were made now, in {@code seconds}
     */
    public record Result(
            Path output,
            int prompts,
            int earlier,
            long tokens,
            SortedMap<String, AnswerCount> adapters,
            long tokensNow,
            double seconds) {
        public Result {
            adapters = Collections.unmodifiableSortedMap(new TreeMap<>(adapters));
        }
    }

    /** @param sink gets the text as it grows */
    public Answer answer(Consumer<String> sink) {
        AdapterStart start = adapters(BaseCheck.check(model)).unnamed().writingTexts();
        day(LocalDate.now());
        FolderModelSource source = model.source(start.lora(), model.precisionHere(console::note));
        try (Answers answers = Answers.open(source, start, options.chatTemplate)) {
            TokenLosses losses = options.losses ? new TokenLosses() : null;
            return answers.to(Required.value("--prompt", options.prompt), options.choice, losses, sink);
        }
    }

    /** Answers to a file of prompts; goes on with those that an earlier command made. */
    public Result answers() {
        ModelConfig config = BaseCheck.check(model);
        AdapterSet adapters = adapters(config);
        adapters.unnamed().writingTexts();
        String earlier = AnswerFile.begun(Required.value("--output", options.output))
                .map(AnswerQuestion::day)
                .orElse(null);
        LocalDate day = day(earlier == null ? LocalDate.now() : LocalDate.parse(earlier));
        try (AnswerTokens tokens = AnswerTokens.open(model, config, options.chatTemplate, adapters, options.choice)) {
            return new FileAnswers(options, console, config, adapters, day).write(tokens);
        }
    }

    /** The day that the chat template is told; null where it does not ask. */
    private @Nullable LocalDate day(LocalDate day) {
        TemplateText given = options.chatTemplate == null ? null : TemplateText.read(options.chatTemplate);
        if (!ModelTokenizer.asksForTheDay(model.folder(), given)) {
            return null;
        }

        console.note("The chat template is told the date %s", day);
        return day;
    }

    private AdapterSet adapters(ModelConfig config) {
        return AdapterSet.of(options.adapters, model.folder(), config);
    }
}
