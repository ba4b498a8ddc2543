package org.sparkqlora.cli.command;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.sparkqlora.data.RecordFormat;
import org.sparkqlora.options.ClusterOptions;
import org.sparkqlora.options.Console;
import org.sparkqlora.options.DataOptions;
import org.sparkqlora.options.ModelAddress;
import org.sparkqlora.options.ModelPath;
import org.sparkqlora.options.OptionGroup;
import org.sparkqlora.options.Problems;
import org.sparkqlora.options.Required;
import org.sparkqlora.options.TokenOptions;
import org.sparkqlora.run.ModelEncoders;
import org.sparkqlora.run.Preparation;
import org.sparkqlora.run.ReportText;
import org.sparkqlora.run.RowDump;
import org.sparkqlora.run.SummaryJson;
import org.sparkqlora.run.TokenMarking;
import org.sparkqlora.run.Vocabulary;
import org.sparkqlora.spark.cluster.CurrentSession;
import org.sparkqlora.spark.cluster.Location;
import org.sparkqlora.spark.prepare.PreparedData;
import org.sparkqlora.spark.prepare.PreparedRows;
import org.sparkqlora.spark.prepare.TokenizerPlace;
import org.sparkqlora.storage.ModelCache;
import org.sparkqlora.tokenizer.ModelTokenizer;
import org.sparkqlora.weights.WeightFolder;
import picocli.CommandLine;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code prepare}: makes rows of examples once, for many runs. */
@OptionGroup.In(OptionGroup.RUN)
@CommandLine.Command(
        name = "prepare",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        abbreviateSynopsis = true,
        description = "Makes fixed-width rows of token ids and loss masks, which train and evaluate take as --data.")
public final class PrepareCommand implements Command {
    private static final double NANOS = 1e9;

    @OptionGroup.In(OptionGroup.MODEL)
    @Option(
            names = "--model",
            converter = ModelAddress.class,
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

    @Option(
            names = "--report",
            description =
                    "Also print lengths and the first rows, with marks on what is trained, and write them to report.txt in"
                            + " --output. report.json is always written.")
    boolean report;

    @Mixin
    ClusterOptions cluster = new ClusterOptions();

    @Override
    public void check(Problems problems) {
        cluster.check(problems);
        ModelPath.check(problems, "--model", model);
        data.check(problems);
        tokens.check(problems);
    }

    @Override
    public void run(Console console) {
        TokenizerPlace place = ModelPath.tokenizer(
                ModelPath.place(Required.value("--model", model), ModelCache.ofUser()), ModelCache.ofUser());
        Path folder = place.folder();
        Vocabulary vocabulary = new Vocabulary(tokens.all());
        ModelEncoders encoders = ModelEncoders.of(place, data, vocabulary, rows(folder, vocabulary));
        Preparation preparation = new Preparation(cluster.context("prepare", console), console);
        long begin = System.nanoTime();
        PreparedData rows = preparation.rows(data.sources, encoders, data, Required.value("--output", output));
        double seconds = (System.nanoTime() - begin) / NANOS;
        if (report) {
            report(rows, folder, vocabulary, console);
        }

        console.result(SummaryJson.prepared(rows, seconds));
    }

    private void report(PreparedData rows, Path folder, Vocabulary vocabulary, Console console) {
        rows.report(CurrentSession.hadoop())
                .map(found -> new ReportText(String.join(",", data.sources), found))
                .ifPresent(text -> {
                    List<String> plain = new ArrayList<>(text.summary());
                    plain.addAll(text.details());
                    plain.addAll(dump(rows, folder, vocabulary, TokenMarking.BRACKETS));
                    rows.write("report.txt", plain, CurrentSession.hadoop());
                    TokenMarking marking = TokenMarking.of(console.kind(), System.getenv("NO_COLOR"));
                    text.details().forEach(line -> console.note("%s", line));
                    dump(rows, folder, vocabulary, marking)
                            .forEach(line -> console.part(line + System.lineSeparator())); // colours are commands
                });
    }

    private List<String> dump(PreparedData rows, Path folder, Vocabulary vocabulary, TokenMarking marking) {
        try (PreparedRows reader = rows.reader(CurrentSession.hadoop())) {
            if (data.format == RecordFormat.TOKENS) {
                return RowDump.ofIds(marking).lines(reader);
            }

            try (ModelTokenizer tokenizer = ModelTokenizer.open(folder, data.chatTemplate, vocabulary.added())) {
                return RowDump.of(tokenizer, marking).lines(reader);
            }
        }
    }

    private static int rows(Path folder, Vocabulary vocabulary) {
        try (WeightFolder weights = WeightFolder.open(folder)) {
            int changed = vocabulary.rows(folder, weights.config(), null);
            return changed == 0 ? weights.config().vocabularySize() : changed;
        }
    }
}
