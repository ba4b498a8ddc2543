package org.sparkqlora.ml;

import java.time.LocalDate;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.sql.Column;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.jspecify.annotations.Nullable;
import org.sparkqlora.data.Columns;
import org.sparkqlora.data.RecordFormat;
import org.sparkqlora.input.BadInputException;
import org.sparkqlora.options.AnswerTableOptions;
import org.sparkqlora.options.Console;
import org.sparkqlora.options.GenerateOptions;
import org.sparkqlora.options.Required;
import org.sparkqlora.options.UseOptions;
import org.sparkqlora.options.UsedAdapters;
import org.sparkqlora.run.generate.AnswerQuestion;
import org.sparkqlora.run.model.BaseCheck;
import org.sparkqlora.spark.source.DataExceptions;
import org.sparkqlora.spark.source.ListedSource;
import org.sparkqlora.spark.source.SourceListing;
import org.sparkqlora.spark.source.SourceTable;
import org.sparkqlora.spark.source.WeightedSource;

/**
 * Answers to the rows of a table in a new table. Where commits of its format are atomic, answers are committed in parts as they are made,
 * and a command that was stopped goes on. Driver only.
 */
public record TableAnswers(GenerateOptions options, Console console) {
    static final String ANSWER = "answer";
    static final String ERROR = "error";
    static final String ANSWER_LOSS = "answer_loss";

    /**
     * Counts of the rows that were written.
     *
     * @param prompts that it answers or says why not
     * @param errors of rows without an answer
     * @param adapters those of each adapter by its name, empty for the one without; none where no adapter has a name
     * @param earlier how many of them an earlier command had written
     */
    public record Result(String table, long prompts, long errors, SortedMap<String, RowCount> adapters, long earlier) {
        public Result {
            adapters = Collections.unmodifiableSortedMap(new TreeMap<>(adapters));
        }
    }

    /** Rows that are answered, or that say why not, and those without an answer. */
    public record RowCount(long prompts, long errors) {}

    /** Answers all rows. */
    public Result write() {
        AnswerTableOptions tables = options.tables;
        JavaSparkContext context = options.cluster.context("generate", console);
        SparkSession session = SparkSession.builder().sparkContext(context.sc()).getOrCreate();
        AnswerTable target = new AnswerTable(session, Required.value("--answer-table", tables.answers), tables.format);
        AnswerQuestion begun = target.begun().orElse(null);
        WeightedSource named = named(begun);
        SourceTable source = source(session, context, named);
        Dataset<Row> rows = source.read(session);
        requireRoom(rows, source);
        PromptColumn column = column(rows, source).by(adapter(rows, source));
        BaseCheck.check(options.model);
        ModelColumns model = ModelColumns.open(use(), context);
        if (model.scoresTexts()) {
            throw new BadInputException(
                    "--adapter: Cannot answer with %s: expected an adapter that writes texts, found one with a head that scores them"
                            .formatted(options.adapters.folders().values()));
        }

        AnswerNames names = new AnswerNames(ANSWER, options.losses ? ANSWER_LOSS : null, ERROR);
        PromptTable asked = new PromptTable(named.unversioned(), source, column, model, names, day(model, begun));
        return new AnswerLineage(options, context, console)
                .follow(
                        session,
                        source,
                        target.name(),
                        () -> DataExceptions.refuse(
                                "answer the " + source.words(), () -> write(context, rows, asked, target, begun)));
    }

    private Result write(
            JavaSparkContext context,
            Dataset<Row> rows,
            PromptTable asked,
            AnswerTable target,
            @Nullable AnswerQuestion begun) {
        if (begun == null && !target.takesParts()) {
            whole(rows, asked, target);
            return result(target, 0);
        }

        return result(target, inParts(context, rows, asked, target, begun));
    }

    private Result result(AnswerTable target, long earlier) {
        UsedAdapters adapters = options.adapters;
        RowCount all = target.count(ERROR);
        return new Result(
                target.name(),
                all.prompts(),
                all.errors(),
                adapters.areNamed()
                        ? target.counts(adapters.column(), adapters.folders().keySet(), ERROR)
                        : Collections.emptySortedMap(),
                earlier);
    }

    /** @return how many rows an earlier command had written */
    private long inParts(
            JavaSparkContext context,
            Dataset<Row> rows,
            PromptTable asked,
            AnswerTable target,
            @Nullable AnswerQuestion begun) {
        console.note("answers the %s into %s", asked.source().told(), target.name());
        return new AnswerParts(context, console, rows, options.tables.commitRows).write(asked, target, begun);
    }

    private void whole(Dataset<Row> rows, PromptTable asked, AnswerTable target) {
        console.note(
                "answers the %s into %s at once when all are made: a table of format %s cannot take parts. With --table-format delta or iceberg a command that was stopped goes on",
                asked.source().told(), target.name(), target.formatName());
        target.create(asked.answered(rows));
    }

    /** A table of prompts that has versions is read as it was when the answers were begun. */
    private WeightedSource named(@Nullable AnswerQuestion begun) {
        WeightedSource asked = new WeightedSource(Required.value("--prompt-table", options.tables.prompts), 0);
        if (begun == null || !begun.prompts().equals(asked.unversioned())) {
            return asked;
        }

        Long version = begun.version();
        return version == null ? asked : asked.orAsOf(version);
    }

    private @Nullable LocalDate day(ModelColumns model, @Nullable AnswerQuestion begun) {
        if (!model.asksForTheDay()) {
            return null;
        }

        String earlier = begun == null ? null : begun.day();
        LocalDate day = earlier == null ? LocalDate.now() : LocalDate.parse(earlier);
        console.note("The chat template is told the date %s", day);
        return day;
    }

    private PromptColumn column(Dataset<Row> rows, SourceTable source) {
        String column = options.tables.column;
        return PromptColumn.of(rows.schema(), Optional.ofNullable(column), Columns.parse(List.of()), RecordFormat.AUTO)
                .orElseThrow(() -> refused(
                        source,
                        column == null
                                ? "a column messages (lists of role and content) or prompt (text)"
                                : "a column %s of texts or of messages".formatted(column),
                        Arrays.toString(rows.columns())));
    }

    private Column adapter(Dataset<Row> rows, SourceTable source) {
        return options.adapters.areNamed()
                ? AdapterColumn.of(options.adapters.column(), rows.schema(), "--adapter-column", source.words())
                : PromptColumn.NO_ADAPTER;
    }

    private static SourceTable source(SparkSession session, JavaSparkContext context, WeightedSource named) {
        ListedSource listed = new SourceListing(session, context.hadoopConfiguration())
                .list(List.of(named))
                .get(0);
        if (listed.tables().size() != 1 || !listed.files().isEmpty()) {
            throw new BadInputException(
                    "--prompt-table: Cannot read %s: expected one table, found files. --prompts takes a file"
                            .formatted(named.path()));
        }

        return listed.tables().get(0);
    }

    private void requireRoom(Dataset<Row> rows, SourceTable source) {
        List<String> added = options.losses
                ? List.of(ANSWER, ANSWER_LOSS, ERROR, AnswerTable.PART)
                : List.of(ANSWER, ERROR, AnswerTable.PART);
        for (String name : added) {
            if (Arrays.asList(rows.columns()).contains(name)) {
                throw refused(source, "no column " + name + ", which is added", "one");
            }
        }
    }

    private static BadInputException refused(SourceTable source, String expected, String found) {
        return new BadInputException("--prompt-table: Cannot answer the %s: expected %s, found %s"
                .formatted(source.words(), expected, found));
    }

    private UseOptions use() {
        UseOptions use = new UseOptions();
        use.model = options.model;
        use.adapters = options.adapters;
        use.choice = options.choice;
        use.data.chatTemplate = options.chatTemplate;
        return use;
    }
}
