package org.sparkqlora.run.generate;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.time.LocalDate;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import org.apache.spark.api.java.JavaSparkContext;
import org.sparkqlora.model.generation.EndTokens;
import org.sparkqlora.model.generation.GenerationSpec;
import org.sparkqlora.options.Console;
import org.sparkqlora.options.GenerateOptions;
import org.sparkqlora.options.ModelOptions;
import org.sparkqlora.options.Required;
import org.sparkqlora.run.generate.Answers.Answer;
import org.sparkqlora.run.model.AdapterStart;
import org.sparkqlora.run.model.BaseCheck;
import org.sparkqlora.run.model.FirstState;
import org.sparkqlora.spark.job.SparkGenerator;
import org.sparkqlora.storage.LocalFiles;
import org.sparkqlora.tokenizer.ModelTokenizer;
import org.sparkqlora.tokenizer.TemplateText;
import org.sparkqlora.train.FolderModelSource;
import org.sparkqlora.weights.family.ModelConfig;

/** Answers of a model: to one prompt in this process, or to a file of prompts on the cluster. Driver only. */
public final class AnswerJob {
    private static final double NANOS = 1e9;

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
     * @param tokens of all answers
     */
    public record Result(Path output, int prompts, long tokens, double seconds) {}

    /** @param sink gets the text as it grows */
    public Answer answer(Consumer<String> sink) {
        AdapterStart start = start(BaseCheck.check(model));
        noteDate();
        FolderModelSource source = model.source(start.lora(), model.precisionHere(console::note));
        try (Answers answers = Answers.open(source, start, options.chatTemplate)) {
            return answers.to(Required.value("--prompt", options.prompt), options.choice, sink);
        }
    }

    public Result answers() {
        ModelConfig config = BaseCheck.check(model);
        AdapterStart start = start(config);
        noteDate();
        long began = System.nanoTime();
        PromptFile file = new PromptFile(Required.value("--prompts", options.prompts));
        Path output = Required.value("--output", options.output);
        List<PromptFile.Line> prompts = file.read();
        List<String> lines = new ArrayList<>();
        long tokens = 0;
        try (ModelTokenizer tokenizer = ModelTokenizer.open(
                model.folder(), options.chatTemplate, start.vocabulary().added())) {
            List<int[]> asked = file.encoded(prompts, tokenizer);
            GenerationSpec spec = options.choice.spec(EndTokens.of(model.folder(), config, tokenizer));
            List<int[]> made = made(start, asked, spec);
            for (int i = 0; i < made.size(); i++) {
                Answer answer = Answer.of(made.get(i), tokenizer);
                lines.add(SamplesJson.write(prompts.get(i).prompt(), answer));
                tokens += answer.tokens();
            }
        }

        write(output, lines);
        return new Result(output, lines.size(), tokens, (System.nanoTime() - began) / NANOS);
    }

    private List<int[]> made(AdapterStart start, List<int[]> asked, GenerationSpec spec) {
        JavaSparkContext context = options.cluster.context("generate", console);
        FolderModelSource source = model.source(start.lora(), model.precision(context, console::note));
        FirstState state = FirstState.of(source, start, 0, Runtime.getRuntime().availableProcessors());
        return new SparkGenerator(context, source).generate(state.parameters(), state.index(), asked, spec);
    }

    private static void write(Path file, List<String> lines) {
        try {
            LocalFiles.create(file, lines);
        } catch (IOException e) {
            throw new UncheckedIOException("Failed to write " + file, e);
        }
    }

    private void noteDate() {
        TemplateText given = options.chatTemplate == null ? null : TemplateText.read(options.chatTemplate);
        if (ModelTokenizer.asksForTheDay(model.folder(), given)) {
            console.note("%s", "The chat template is told the date " + LocalDate.now());
        }
    }

    private AdapterStart start(ModelConfig config) {
        return AdapterStart.of(options.adapter, model.folder(), config).writingTexts();
    }
}
