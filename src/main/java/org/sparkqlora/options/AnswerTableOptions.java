package org.sparkqlora.options;

import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** Tables of prompts and of answers. */
@OptionGroup.In(OptionGroup.RUN)
public final class AnswerTableOptions {
    /** Rows of a part unless asked for. */
    public static final int COMMIT_ROWS = 2000;

    @Option(
            names = "--prompt-table",
            paramLabel = "TABLE",
            description =
                    "Instead of --prompt: a table of the catalog, or the folder of a Delta or Iceberg table, in SQL's words as in --data. The column messages of a row is asked, or its column prompt continued.")
    @Nullable
    public String prompts;

    @Option(
            names = "--prompt-column",
            paramLabel = "NAME",
            description = "Column of --prompt-table with texts, each asked as a --prompt, or with messages.")
    @Nullable
    public String column;

    @Option(
            names = "--answer-table",
            paramLabel = "TABLE",
            description =
                    "With --prompt-table: new table of the catalog. It gets the rows with answer and, where there is none, error. Tables of Delta and Iceberg get them in parts, and the same command goes on after it was stopped.")
    @Nullable
    public String answers;

    @Option(
            names = "--table-format",
            paramLabel = "FORMAT",
            description = "Format of --answer-table, such as delta or iceberg. Default: that of its catalog.")
    @Nullable
    public String format;

    @Option(
            names = "--commit-rows",
            paramLabel = "N",
            description =
                    "Answers are kept in parts of about so many rows of --prompt-table or prompts of --prompts. Default: "
                            + COMMIT_ROWS
                            + ", or if that is more a thousandth of the table, or 512 prompts a task slot.")
    @Nullable
    public Integer commitRows;

    void check(Problems problems) {
        problems.require(
                (prompts == null) == (answers == null),
                "--answer-table: expected together with --prompt-table, found one of the two");
        problems.require(
                prompts != null || (column == null && format == null),
                "--prompt-table: expected with --prompt-column and --table-format, found none");
        problems.requireAtLeast("--commit-rows", 1, commitRows == null ? 1 : commitRows);
    }
}
