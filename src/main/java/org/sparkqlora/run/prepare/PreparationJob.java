package org.sparkqlora.run.prepare;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.sparkqlora.data.RecordFormat;
import org.sparkqlora.options.Console;
import org.sparkqlora.options.ModelPath;
import org.sparkqlora.options.PrepareOptions;
import org.sparkqlora.options.Required;
import org.sparkqlora.run.model.Vocabulary;
import org.sparkqlora.spark.cluster.CurrentSession;
import org.sparkqlora.spark.prepare.PreparedData;
import org.sparkqlora.spark.prepare.PreparedRows;
import org.sparkqlora.spark.prepare.TokenizerPlace;
import org.sparkqlora.storage.ModelCache;
import org.sparkqlora.tokenizer.ModelTokenizer;
import org.sparkqlora.weights.WeightFolder;

/** Rows made of examples once, for many runs. Driver only. */
public record PreparationJob(PrepareOptions options, Console console) {
    private static final double NANOS = 1e9;

    /** @param seconds from the listing of sources to the manifest */
    public record Prepared(PreparedData rows, double seconds) {}

    public Prepared run() {
        Preparation preparation = new Preparation(options.cluster.context("prepare", console), console);
        preparation.findLabels(options.data);
        TokenizerPlace place = ModelPath.tokenizer(
                ModelPath.place(Required.value("--model", options.model), ModelCache.ofUser()), ModelCache.ofUser());
        Path folder = place.folder();
        Vocabulary vocabulary = new Vocabulary(options.tokens.all());
        ModelEncoders encoders = ModelEncoders.of(place, options.data, vocabulary, rows(folder, vocabulary));
        long begin = System.nanoTime();
        PreparedData rows = preparation.rows(
                options.data.sources, encoders, options.data, Required.value("--output", options.output));
        double seconds = (System.nanoTime() - begin) / NANOS;
        if (options.report) {
            report(rows, folder, vocabulary);
        }

        return new Prepared(rows, seconds);
    }

    private void report(PreparedData rows, Path folder, Vocabulary vocabulary) {
        rows.report(CurrentSession.hadoop())
                .map(found -> new ReportText(String.join(",", options.data.sources), found))
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
            if (options.data.format == RecordFormat.TOKENS) {
                return RowDump.ofIds(marking).lines(reader, rows.manifest().kind());
            }

            try (ModelTokenizer tokenizer =
                    ModelTokenizer.open(folder, options.data.chatTemplate, vocabulary.added())) {
                return RowDump.of(tokenizer, marking)
                        .lines(reader, rows.manifest().kind());
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
