package org.sparkqlora.run;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.apache.spark.api.java.JavaSparkContext;
import org.jspecify.annotations.Nullable;
import org.sparkqlora.data.BadRecordException;
import org.sparkqlora.model.GenerationSpec;
import org.sparkqlora.options.ModelOptions;
import org.sparkqlora.options.SamplingOptions;
import org.sparkqlora.run.Answers.Answer;
import org.sparkqlora.spark.job.SparkGenerator;
import org.sparkqlora.tokenizer.ModelTokenizer;
import org.sparkqlora.tokenizer.PromptEncoder;
import org.sparkqlora.train.FolderModelSource;
import org.sparkqlora.weights.family.ModelConfig;

/** Answers to a file of prompts, made on the cluster. Driver only. */
public final class AnswerJob {
    private final ModelOptions model;
    private final AdapterStart start;
    private final SamplingOptions choice;
    private final Consumer<String> note;

    /** @param note is told what was settled */
    public AnswerJob(ModelOptions model, AdapterStart start, SamplingOptions choice, Consumer<String> note) {
        this.model = model;
        this.start = start;
        this.choice = choice;
        this.note = note;
    }

    /**
     * A JSON line for each prompt, in their order, and how many tokens all took.
     *
     * @param tokens of all answers
     */
    public record Result(List<String> lines, long tokens) {}

    public Result run(
            Supplier<JavaSparkContext> cluster, PromptFile file, ModelConfig config, @Nullable Path chatTemplate) {
        Path folder = model.folder();
        List<PromptFile.Line> prompts = file.read();
        try (ModelTokenizer tokenizer =
                ModelTokenizer.open(folder, chatTemplate, start.vocabulary().added())) {
            List<int[]> asked = encoded(file, prompts, tokenizer);
            List<int[]> made = made(cluster.get(), asked, choice.spec(EndTokens.of(folder, config, tokenizer)));
            List<String> lines = new ArrayList<>();
            long tokens = 0;
            for (int i = 0; i < made.size(); i++) {
                Answer answer = Answer.of(made.get(i), tokenizer);
                lines.add(SummaryJson.answer(prompts.get(i).prompt(), answer));
                tokens += answer.tokens();
            }

            return new Result(lines, tokens);
        }
    }

    private static List<int[]> encoded(PromptFile file, List<PromptFile.Line> prompts, ModelTokenizer tokenizer) {
        PromptEncoder encoder = new PromptEncoder(tokenizer);
        List<int[]> encoded = new ArrayList<>();
        for (PromptFile.Line line : prompts) {
            try {
                encoded.add(encoder.encode(line.prompt()));
            } catch (BadRecordException e) {
                throw file.refused(line.number(), e);
            }
        }

        return encoded;
    }

    private List<int[]> made(JavaSparkContext context, List<int[]> asked, GenerationSpec spec) {
        FolderModelSource source = model.source(start.lora(), model.precision(context, note));
        FirstState state = FirstState.of(source, start, 0, Runtime.getRuntime().availableProcessors());
        return new SparkGenerator(context, source).generate(state.parameters(), state.index(), asked, spec);
    }
}
