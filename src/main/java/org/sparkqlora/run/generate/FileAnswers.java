package org.sparkqlora.run.generate;

import java.nio.file.Path;
import java.time.LocalDate;
import java.util.ArrayList;
import java.util.List;
import org.apache.spark.api.java.JavaSparkContext;
import org.jspecify.annotations.Nullable;
import org.sparkqlora.model.generation.GenerationSpec;
import org.sparkqlora.options.AnswerTableOptions;
import org.sparkqlora.options.Console;
import org.sparkqlora.options.GenerateOptions;
import org.sparkqlora.options.Required;
import org.sparkqlora.run.generate.Answers.Answer;
import org.sparkqlora.run.model.AdapterStart;
import org.sparkqlora.run.model.FirstState;
import org.sparkqlora.run.output.CommandLineage;
import org.sparkqlora.spark.cluster.Location;
import org.sparkqlora.spark.job.SparkGenerator;
import org.sparkqlora.spark.lineage.LineageDataset;
import org.sparkqlora.tokenizer.ModelTokenizer;
import org.sparkqlora.train.FolderModelSource;

/**
 * Answers to a file of prompts as a Spark job. They are kept in parts, so that a command that was stopped goes on. Driver only.
 *
 * @param day that the chat template is told; null where it does not ask
 */
record FileAnswers(
        GenerateOptions options,
        Console console,
        AdapterStart start,
        @Nullable LocalDate day) {
    private static final double NANOS = 1e9;

    /** Answers what has no answer yet. */
    AnswerJob.Result write(ModelTokenizer tokenizer, GenerationSpec spec) {
        PromptFile file = new PromptFile(Required.value("--prompts", options.prompts));
        List<PromptFile.Line> prompts = file.read();
        List<int[]> asked = file.encoded(prompts, tokenizer, day);
        JavaSparkContext context = options.cluster.context("generate", console);
        FolderModelSource source = options.model.source(start.lora(), options.model.precision(context, console::note));
        AnswerQuestion question = new AnswerQuestion(
                AnswerFacts.of(options.model, start, source.spec(), spec, tokenizer.fingerprint()),
                "",
                null,
                file.hash(),
                0,
                day == null ? null : day.toString());
        try (AnswerFile answers = AnswerFile.open(output(), question)) {
            if (answers.count() > 0) {
                console.note("%d of %d prompts are answered already", answers.count(), prompts.size());
            }

            return new CommandLineage(options.lineage, context.getConf(), console)
                    .follow(
                            work(file),
                            () -> {
                                FirstState state = FirstState.of(
                                        source, start, 0, Runtime.getRuntime().availableProcessors());
                                return answered(
                                        answers,
                                        prompts.size(),
                                        () -> new SparkGenerator(context, source)
                                                .generate(
                                                        state.parameters(),
                                                        state.index(),
                                                        new SparkGenerator.Prompts(asked, answers.count(), part()),
                                                        spec,
                                                        made -> add(made, prompts, tokenizer, answers)));
                            },
                            done -> CommandLineage.written(Location.of(output()), null));
        }
    }

    /** @param making adds the answers that are missing */
    private AnswerJob.Result answered(AnswerFile answers, int prompts, Runnable making) {
        int earlier = answers.count();
        long earlierTokens = answers.tokens();
        long began = System.nanoTime();
        making.run();
        answers.publish();
        double seconds = (System.nanoTime() - began) / NANOS;
        return new AnswerJob.Result(
                output(), prompts, earlier, answers.tokens(), answers.tokens() - earlierTokens, seconds);
    }

    private CommandLineage.Work work(PromptFile file) {
        return new CommandLineage.Work(
                output().getFileName().toString(),
                "generate",
                () -> {
                    List<LineageDataset> inputs = new ArrayList<>();
                    inputs.add(CommandLineage.model(options.model.address()));
                    if (options.adapter != null) {
                        inputs.add(CommandLineage.adapter(options.adapter));
                    }

                    inputs.add(CommandLineage.at(Location.of(file.path())));
                    return inputs;
                },
                List.of(CommandLineage.at(Location.of(output()))));
    }

    private Path output() {
        return Required.value("--output", options.output);
    }

    private int part() {
        Integer asked = options.tables.commitRows;
        return asked == null ? AnswerTableOptions.COMMIT_ROWS : asked;
    }

    private void add(List<int[]> made, List<PromptFile.Line> prompts, ModelTokenizer tokenizer, AnswerFile answers) {
        List<String> lines = new ArrayList<>();
        for (int[] ids : made) {
            PromptFile.Line asked = prompts.get(answers.count() + lines.size());
            lines.add(SamplesJson.write(asked.prompt(), Answer.of(ids, tokenizer)));
        }

        answers.add(lines);
        console.note("%d of %d prompts are answered", answers.count(), prompts.size());
    }
}
