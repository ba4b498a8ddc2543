package org.sparkqlora.run.generate;

import java.nio.file.Path;
import java.time.LocalDate;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.stream.IntStream;
import org.apache.spark.api.java.JavaSparkContext;
import org.jspecify.annotations.Nullable;
import org.sparkqlora.options.AnswerTableOptions;
import org.sparkqlora.options.Console;
import org.sparkqlora.options.GenerateOptions;
import org.sparkqlora.options.Required;
import org.sparkqlora.run.generate.Answers.Answer;
import org.sparkqlora.run.model.AdapterSet;
import org.sparkqlora.run.output.CommandLineage;
import org.sparkqlora.spark.cluster.Location;
import org.sparkqlora.spark.job.AnswerText;
import org.sparkqlora.spark.job.ByAdapter;
import org.sparkqlora.spark.job.SparkGenerator;
import org.sparkqlora.spark.lineage.LineageDataset;
import org.sparkqlora.tensor.FlatVector;
import org.sparkqlora.train.FolderModelSource;
import org.sparkqlora.weights.family.ModelConfig;

/**
 * Answers to a file of prompts as a Spark job. They are kept in parts, so that a command that was stopped goes on. Driver only.
 *
 * @param config of the base
 * @param day that the chat template is told; null where it does not ask
 */
record FileAnswers(
        GenerateOptions options,
        Console console,
        ModelConfig config,
        AdapterSet adapters,
        @Nullable LocalDate day) {
    private static final double NANOS = 1e9;

    /** Answers what has no answer yet. */
    AnswerJob.Result write(AnswerTokens tokens) {
        PromptFile file = new PromptFile(
                Required.value("--prompts", options.prompts), adapters.isNamed() ? options.adapters.column() : null);
        List<PromptFile.Line> prompts = file.read();
        List<int[]> ids = file.encoded(prompts, new ByAdapter<>(adapters.each(tokens::tokenizer)), day);
        JavaSparkContext context = options.cluster.context("generate", console);
        FolderModelSource base =
                options.model.source(adapters.inBase().orElse(null), options.model.precision(context, console::note));
        FlatVector parameters =
                adapters.parameters(base, config); // refuses adapters of another shape before anything is written
        AnswerQuestion question = new AnswerQuestion(
                AnswerFacts.told(
                        AnswerFacts.of(options.model, options.adapters, adapters, base.spec(), tokens), losses()),
                "",
                null,
                file.hash(),
                0,
                day == null ? null : day.toString());
        try (AnswerFile answers = AnswerFile.open(output(), question)) {
            int earlier = answers.count().prompts();
            if (earlier > 0) {
                console.note("%d of %d prompts are answered already", earlier, prompts.size());
            }

            SparkGenerator.Prompts asked =
                    new SparkGenerator.Prompts(asked(prompts, ids), earlier, part(context), losses());
            return new CommandLineage(options.lineage, context.getConf(), console)
                    .follow(
                            work(file),
                            () -> {
                                writeCopies(base);
                                return answered(
                                        answers,
                                        prompts.size(),
                                        () -> new SparkGenerator(context, adapters.over(base))
                                                .generate(
                                                        parameters,
                                                        adapters.index(base, config),
                                                        asked,
                                                        new ByAdapter<>(adapters.each(tokens::spec)),
                                                        made -> add(made, prompts, tokens, answers)));
                            },
                            done -> CommandLineage.written(Location.of(output()), null));
        }
    }

    /** The copies of the base that this host keeps, with all of its processors. */
    private static void writeCopies(FolderModelSource base) {
        base.open(Runtime.getRuntime().availableProcessors()).close();
    }

    private static List<SparkGenerator.Asked> asked(List<PromptFile.Line> prompts, List<int[]> ids) {
        return IntStream.range(0, ids.size())
                .mapToObj(i -> new SparkGenerator.Asked(prompts.get(i).adapter(), ids.get(i)))
                .toList();
    }

    /** @param making adds the answers that are missing */
    private AnswerJob.Result answered(AnswerFile answers, int prompts, Runnable making) {
        AnswerCount earlier = answers.count();
        long began = System.nanoTime();
        making.run();
        answers.publish();
        double seconds = (System.nanoTime() - began) / NANOS;
        long tokens = answers.count().tokens();
        return new AnswerJob.Result(
                output(),
                prompts,
                earlier.prompts(),
                tokens,
                adapters.isNamed() ? answers.counts() : Collections.emptySortedMap(),
                tokens - earlier.tokens(),
                seconds);
    }

    private CommandLineage.Work work(PromptFile file) {
        return new CommandLineage.Work(
                output().getFileName().toString(),
                "generate",
                () -> {
                    List<LineageDataset> inputs = new ArrayList<>();
                    inputs.add(CommandLineage.model(options.model.address()));
                    options.adapters.all().forEach(adapter -> inputs.add(CommandLineage.adapter(adapter.folder())));
                    inputs.add(CommandLineage.at(Location.of(file.path())));
                    return inputs;
                },
                List.of(CommandLineage.at(Location.of(output()))));
    }

    private Path output() {
        return Required.value("--output", options.output);
    }

    private int part(JavaSparkContext context) {
        Integer asked = options.tables.commitRows;
        return asked == null
                ? Math.max(AnswerTableOptions.COMMIT_ROWS, SparkGenerator.textsOfAllSlots(context))
                : asked;
    }

    private AnswerText.Losses losses() {
        return options.losses ? AnswerText.Losses.TOLD : AnswerText.Losses.NONE;
    }

    private void add(
            List<SparkGenerator.NumberedTokens> made,
            List<PromptFile.Line> prompts,
            AnswerTokens tokens,
            AnswerFile answers) {
        int before = answers.count().prompts();
        List<String> lines = new ArrayList<>();
        for (SparkGenerator.NumberedTokens each : made) {
            PromptFile.Line asked = prompts.get(before + lines.size());
            Answer answer = Answer.of(each.ids(), tokens.tokenizer(asked.adapter()));
            lines.add(
                    options.losses
                            ? SamplesJson.write(asked, answer, each.lossSum(), each.lossTokens())
                            : SamplesJson.write(asked, answer));
        }

        answers.add(lines);
        console.note("%d of %d prompts are answered", before + lines.size(), prompts.size());
    }
}
