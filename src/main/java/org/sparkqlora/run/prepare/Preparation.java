package org.sparkqlora.run.prepare;

import java.util.List;
import java.util.Locale;
import java.util.Optional;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.Path;
import org.apache.spark.api.java.JavaSparkContext;
import org.jspecify.annotations.Nullable;
import org.sparkqlora.data.BadRecordException;
import org.sparkqlora.data.ExampleJson;
import org.sparkqlora.data.HeldOutSplit;
import org.sparkqlora.data.Labels;
import org.sparkqlora.data.RecordFormat;
import org.sparkqlora.input.BadInputException;
import org.sparkqlora.options.Console;
import org.sparkqlora.options.DataOptions;
import org.sparkqlora.spark.lineage.LineageDataset;
import org.sparkqlora.spark.lineage.LineageInputs;
import org.sparkqlora.spark.prepare.DataPreparation;
import org.sparkqlora.spark.prepare.LineEncoderSource;
import org.sparkqlora.spark.prepare.PreparationOptions.OnBadRecord;
import org.sparkqlora.spark.prepare.PreparationReport;
import org.sparkqlora.spark.prepare.PreparedData;
import org.sparkqlora.spark.prepare.RowsDay;
import org.sparkqlora.spark.source.FirstRecord;
import org.sparkqlora.spark.source.WeightedSource;

/** Rows of the data that a command names: prepared now, or before. Driver only. */
public final class Preparation {
    private final JavaSparkContext context;
    private final Console console;
    private final DataPreparation data;
    private final HeldOutSplit part;

    /** For all of the data. */
    public Preparation(JavaSparkContext context, Console console) {
        this(context, console, HeldOutSplit.ALL);
    }

    /** For a part of the data. */
    public Preparation(JavaSparkContext context, Console console, HeldOutSplit part) {
        this(context, console, part, null);
    }

    /** For a part of the data, to go on with rows of the fingerprint {@code begun}; null for none. */
    public Preparation(JavaSparkContext context, Console console, HeldOutSplit part, @Nullable String begun) {
        this.context = context;
        this.console = console;
        this.data = new DataPreparation(context, begun);
        this.part = part;
    }

    /** Rows of {@code sources}, made in {@code target} unless they are a prepared folder already. */
    public PreparedData rows(List<String> sources, LineEncoderSource encoders, DataOptions options, String target) {
        Optional<PreparedData> ready = ready(sources);
        ready.ifPresent(rows -> {
            rows.requireOf(options.examples());
            rows.requireUsable(encoders.ids(), context);
        });
        PreparedData rows = ready.orElseGet(() -> {
            data.firsts(sources).forEach(first -> noteFormat(sources, first, options));
            return data.prepare(sources, encoders, options.preparation().of(part), target);
        });
        report(sources, rows);
        return rows;
    }

    /** Names the classes of labelled texts after what is found in the data, where they have no names yet. */
    public void findLabels(DataOptions options) {
        if (!options.needsLabels()) {
            return;
        }

        Labels found = ready(options.sources)
                .map(rows -> rows.manifest().examples().labels())
                .orElseGet(() ->
                        data.labels(options.sources, options.problemType, options.columns(), options.mostBytes()));
        options.useLabels(found);
        console.note("%s: found the labels %s", String.join(",", options.sources), String.join(",", found.names()));
    }

    /** Refuses sources whose first record cannot be read, or that have none. */
    public void look(List<String> sources, DataOptions options) {
        if (ready(sources).isPresent()) {
            return;
        }

        List<FirstRecord> firsts = data.firsts(sources);
        if (firsts.isEmpty()) {
            throw new BadInputException(
                    "Cannot read %s: expected records, found none".formatted(String.join(",", sources)));
        }

        if (options.onBadRecord == OnBadRecord.SKIP) {
            firsts.forEach(first -> noteFormat(sources, first, options));
            return;
        }

        try {
            firsts.forEach(first -> note(sources, first, options));
        } catch (BadRecordException e) {
            throw new BadInputException(
                    "Cannot read the first record of %s: %s".formatted(String.join(",", sources), e.getMessage()), e);
        }
    }

    /** The fingerprint of the rows of {@code sources}, without making them. */
    public String fingerprint(List<String> sources, LineEncoderSource encoders, DataOptions options) {
        return ready(sources)
                .map(rows -> rows.fingerprintFor(encoders.ids()))
                .orElseGet(() -> data.fingerprint(
                        sources, encoders, options.preparation().of(part)));
    }

    /** Tokens a row that the rows of {@code sources} have or will have. */
    public int width(List<String> sources, DataOptions options) {
        return ready(sources)
                .map(rows -> rows.manifest().width())
                .orElse(options.length.tokens * options.objective.examples().documents());
    }

    /** The data sets that {@code sources} are, in the states that their rows are made of. */
    public List<LineageDataset> lineage(List<String> sources) {
        Optional<PreparedData> ready = ready(sources);
        if (ready.isPresent()) {
            Path folder = new Path(ready.get().folder());
            return List.of(LineageDataset.at(folder.toUri()));
        }

        LineageInputs inputs = new LineageInputs(data.session(), context.hadoopConfiguration());
        return WeightedSource.parse(sources).stream()
                .flatMap(source -> inputs.of(source.place(), data.listed(source)).stream())
                .toList();
    }

    /** The folder of {@code sources} if it is a prepared one already, which executors must see. */
    public List<String> readyFolder(List<String> sources) {
        return ready(sources).map(PreparedData::folder).stream().toList();
    }

    /** The folder that an earlier {@code prepare} made, when the source is one. */
    private Optional<PreparedData> ready(List<String> sources) {
        Configuration configuration = context.hadoopConfiguration();
        Optional<PreparedData> found = sources.size() == 1 && !WeightedSource.isQuery(sources.get(0))
                ? PreparedData.find(sources.get(0), configuration)
                : Optional.empty();
        if (found.isPresent() && !part.equals(HeldOutSplit.ALL)) {
            throw new BadInputException(
                    "Cannot hold out a part of %s: its rows are prepared already. Prepare held-out examples apart, for --eval-data"
                            .formatted(sources.get(0)));
        }

        return found;
    }

    private void noteFormat(List<String> sources, FirstRecord first, DataOptions options) {
        try {
            note(sources, first, options);
        } catch (BadRecordException e) {
            // Preparing will say so, with the place, or count it.
            console.note("%s: %s, whose first record is none", String.join(",", sources), first.source());
        }
    }

    private void note(List<String> sources, FirstRecord first, DataOptions options) {
        String format = ExampleJson.nameOf(first.json(), options.reading());
        String how = options.format == RecordFormat.AUTO ? "found" : "read as";
        console.note("%s: %s, %s %s", String.join(",", sources), first.source(), how, format);
    }

    private void report(List<String> sources, PreparedData rows) {
        RowsDay.of(rows.manifest().fingerprint())
                .told()
                .ifPresent(day ->
                        console.note("%s: its chat template is told the date %s", String.join(",", sources), day));
        reportOf(rows)
                .map(report -> new ReportText(String.join(",", sources), report).summary())
                .orElseGet(() ->
                        List.of(String.format(Locale.ROOT, "%s: %d rows", String.join(",", sources), rows.rows())))
                .forEach(line -> console.note("%s", line));
    }

    private Optional<PreparationReport> reportOf(PreparedData rows) {
        return rows.report(context.hadoopConfiguration());
    }
}
