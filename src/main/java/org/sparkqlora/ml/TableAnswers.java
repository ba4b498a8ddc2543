package org.sparkqlora.ml;

import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.sql.AnalysisException;
import org.apache.spark.sql.Column;
import org.apache.spark.sql.DataFrameWriterV2;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.sparkqlora.data.Columns;
import org.sparkqlora.data.RecordFormat;
import org.sparkqlora.input.BadInputException;
import org.sparkqlora.options.AnswerTableOptions;
import org.sparkqlora.options.Console;
import org.sparkqlora.options.GenerateOptions;
import org.sparkqlora.options.Required;
import org.sparkqlora.options.UseOptions;
import org.sparkqlora.spark.source.ListedSource;
import org.sparkqlora.spark.source.SourceListing;
import org.sparkqlora.spark.source.SourceTable;
import org.sparkqlora.spark.source.WeightedSource;

/**
 * Answers to the rows of a table in a new table. That is made as a whole when all are answered: a command that was stopped leaves none.
 * Driver only.
 */
public final class TableAnswers {
    private static final String ANSWER = "answer";
    private static final String ERROR = "error";
    private static final String ASKED = "spark_qlora_asked";

    private final GenerateOptions options;
    private final Console console;

    public TableAnswers(GenerateOptions options, Console console) {
        this.options = options;
        this.console = console;
    }

    /**
     * What was written.
     *
     * @param prompts that it answers or says why not
     * @param errors of rows without an answer
     */
    public record Result(String table, long prompts, long errors) {}

    /** Answers all rows. */
    public Result write() {
        AnswerTableOptions tables = options.tables;
        JavaSparkContext context = options.cluster.context("generate", console);
        SparkSession session = SparkSession.builder().sparkContext(context.sc()).getOrCreate();
        String target = Required.value("--answer-table", tables.answers);
        requireAbsent(session, target);
        SourceTable source = source(session, context, Required.value("--prompt-table", tables.prompts));
        Dataset<Row> rows = source.read(session);
        requireRoom(rows, source);
        PromptColumn prompt = PromptColumn.of(
                        rows.schema(), Optional.ofNullable(tables.column), Columns.parse(List.of()), RecordFormat.AUTO)
                .orElseThrow(() -> refused(
                        source,
                        tables.column == null
                                ? "a column messages (lists of role and content) or prompt (text)"
                                : "a column %s of texts or of messages".formatted(tables.column),
                        Arrays.toString(rows.columns())));
        ModelColumns model = ModelColumns.open(use(), context);
        if (model.scoresTexts()) {
            throw new BadInputException(
                    "--adapter: Cannot answer with %s: expected an adapter that writes texts, found one with a head that scores them"
                            .formatted(options.adapter));
        }

        console.note("answers the %s into %s", source.told(), target);
        create(
                model.answered(rows.select(new Column("*"), prompt.column().as(ASKED)), prompt.asked(), ANSWER, ERROR),
                target);
        Dataset<Row> written = session.table(target);
        return new Result(
                target, written.count(), written.where(ERROR + " IS NOT NULL").count());
    }

    private static void requireAbsent(SparkSession session, String target) {
        if (session.catalog().tableExists(target)) {
            throw new BadInputException(
                    "--answer-table: Cannot write %s: expected a table that does not exist yet, found one"
                            .formatted(target));
        }
    }

    private static SourceTable source(SparkSession session, JavaSparkContext context, String name) {
        ListedSource listed = new SourceListing(session, context.hadoopConfiguration())
                .list(List.of(new WeightedSource(name, 0)))
                .get(0);
        if (listed.tables().size() != 1 || !listed.files().isEmpty()) {
            throw new BadInputException(
                    "--prompt-table: Cannot read %s: expected one table, found files. --prompts takes a file"
                            .formatted(name));
        }

        return listed.tables().get(0);
    }

    private static void requireRoom(Dataset<Row> rows, SourceTable source) {
        for (String name : List.of(ANSWER, ERROR)) {
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
        use.adapter = options.adapter;
        use.choice = options.choice;
        use.data.chatTemplate = options.chatTemplate;
        return use;
    }

    private void create(Dataset<Row> answered, String target) {
        DataFrameWriterV2<Row> writer = answered.writeTo(target);
        String format = options.tables.format;
        try {
            (format == null ? writer : writer.using(format)).create();
        } catch (AnalysisException e) {
            throw new BadInputException(
                    "--answer-table: Cannot make %s: expected a table that Spark can make there, found %s"
                            .formatted(
                                    target,
                                    String.valueOf(e.getMessage())
                                            .lines()
                                            .findFirst()
                                            .orElse("")),
                    e);
        }
    }
}
