package org.sparkqlora.options;

import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** Tables of prompts and of answers. */
@OptionGroup.In(OptionGroup.RUN)
public final class AnswerTableOptions {
    @Option(
            names = "--prompt-table",
            paramLabel = "TABLE",
            description =
                    "Instead of --prompt: a table of the catalog, or the folder of a Delta or Iceberg table, perhaps with VERSION AS OF n. The column messages of a row is asked, or its column prompt continued.")
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
                    "With --prompt-table: new table of the catalog. It gets the rows with answer and, where there is none, error.")
    @Nullable
    public String answers;

    @Option(
            names = "--table-format",
            paramLabel = "FORMAT",
            description = "Format of --answer-table, such as delta or iceberg. Default: that of its catalog.")
    @Nullable
    public String format;

    void check(Problems problems) {
        problems.require(
                (prompts == null) == (answers == null),
                "--answer-table: expected together with --prompt-table, found one of the two");
        problems.require(
                prompts != null || (column == null && format == null),
                "--prompt-table: expected with --prompt-column and --table-format, found none");
    }
}
