package org.sparkqlora.cli;

import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import org.sparkqlora.spark.PreparedData;
import org.sparkqlora.weights.WeightFolder;
import picocli.CommandLine;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code prepare}: makes rows of examples once, for many runs. */
@CommandLine.Command(
        name = "prepare",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        abbreviateSynopsis = true,
        description = "Makes fixed-width rows of token ids and loss masks, which train and evaluate take as --data.")
final class PrepareCommand implements Command {
    private static final double NANOS = 1e9;

    @Option(
            names = "--model",
            required = true,
            paramLabel = "PATH",
            description = "Model whose tokenizer and chat template are used.")
    @Nullable
    Location model;

    @Mixin
    DataOptions data = new DataOptions();

    @Mixin
    TokenOptions tokens = new TokenOptions();

    @Option(
            names = "--output",
            required = true,
            paramLabel = "PATH",
            description = "Folder for the rows, on any Hadoop file system.")
    @Nullable
    String output;

    @Override
    public void check(Problems problems) {
        ModelPath.check(problems, "--model", model);
        data.check(problems);
        tokens.check(problems);
    }

    @Override
    public void run(Console console) {
        Path folder = ModelPath.folder(Required.value("--model", model), ModelPath.CACHE);
        Vocabulary vocabulary = new Vocabulary(tokens.all());
        ModelEncoders encoders = ModelEncoders.of(folder, data, vocabulary, rows(folder, vocabulary));
        Preparation preparation = new Preparation(Sessions.context("prepare"), console);
        long begin = System.nanoTime();
        PreparedData prepared = preparation.rows(data.sources, encoders, data, Required.value("--output", output));
        console.result(SummaryJson.prepared(prepared, (System.nanoTime() - begin) / NANOS));
    }

    private static int rows(Path folder, Vocabulary vocabulary) {
        try (WeightFolder weights = WeightFolder.open(folder)) {
            int changed = vocabulary.rows(folder, weights.config(), null);
            return changed == 0 ? weights.config().vocabularySize() : changed;
        }
    }
}
