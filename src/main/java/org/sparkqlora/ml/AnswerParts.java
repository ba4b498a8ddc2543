package org.sparkqlora.ml;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.jspecify.annotations.Nullable;
import org.sparkqlora.options.AnswerTableOptions;
import org.sparkqlora.options.Console;
import org.sparkqlora.run.generate.AnswerQuestion;
import org.sparkqlora.spark.job.SparkGenerator;
import org.sparkqlora.spark.source.RowParts;

/**
 * Answers in parts, each one commit of the answer table. What a part holds depends on the prompts alone, so what is there of an earlier
 * command is counted and left. Driver only.
 *
 * @param rows that are asked
 * @param commitRows rows of a part that are asked for; null for the default
 */
record AnswerParts(
        JavaSparkContext context,
        Console console,
        Dataset<Row> rows,
        @Nullable Integer commitRows) {
    /** Each part reads the table of prompts. */
    private static final int MOST_PARTS = 1000;

    private static final int ROWS_OF_A_FILE = 100_000;

    /**
     * Writes what is not there yet.
     *
     * @return how many rows were there
     */
    long write(PromptTable asked, AnswerTable target, @Nullable AnswerQuestion begun) {
        int number = begun == null ? number(rows.count()) : begun.parts();
        RowParts parts = new RowParts(rows, number);
        RowParts.Survey survey = parts.survey();
        AnswerQuestion question = asked.question(number, survey.fingerprint());
        if (begun == null) {
            target.create(asked.answered(rows).schema(), question);
        } else {
            requireSame(target, question, begun);
        }

        return write(asked, target, parts, survey.rows());
    }

    private long write(PromptTable asked, AnswerTable target, RowParts parts, SortedMap<Integer, Long> expected) {
        long total = expected.values().stream().mapToLong(Long::longValue).sum();
        Map<Integer, Long> there = requireWholeParts(target, expected);
        long earlier = there.values().stream().mapToLong(Long::longValue).sum();
        if (earlier > 0) {
            console.note("%d of %d answers are in %s already", earlier, total, target.name());
        }

        long done = earlier;
        for (Map.Entry<Integer, Long> part : expected.entrySet()) {
            if (!there.containsKey(part.getKey())) {
                commit(asked, target, parts, part);
                done += part.getValue();
                console.note("%d of %d answers are in %s", done, total, target.name());
            }
        }

        requireAll(target, expected);
        return earlier;
    }

    private int number(long all) {
        long most = Optional.ofNullable(commitRows)
                .map(Integer::longValue)
                .orElseGet(() -> Math.max(AnswerTableOptions.COMMIT_ROWS, (all + MOST_PARTS - 1) / MOST_PARTS));
        return Math.toIntExact(Math.max(1, (all + most - 1) / most));
    }

    private static void requireSame(AnswerTable target, AnswerQuestion question, AnswerQuestion begun) {
        List<String> differences = question.differences(begun);
        if (!differences.isEmpty()) {
            throw target.refused(
                    "a table of the same question, or a name of none", "another: " + String.join("; ", differences));
        }
    }

    /** The rows of each part that is there. */
    private static Map<Integer, Long> requireWholeParts(AnswerTable target, SortedMap<Integer, Long> expected) {
        Map<Integer, Long> there = target.counts();
        there.forEach((part, found) -> {
            long rows = expected.getOrDefault(part, 0L);
            if (rows != found) {
                throw target.refused(
                        rows + " rows of " + AnswerTable.PART + " " + part + ", or none",
                        found + ". Delete them, and the same command answers them again");
            }
        });
        return there;
    }

    private static void requireAll(AnswerTable target, SortedMap<Integer, Long> expected) {
        Map<Integer, Long> there = requireWholeParts(target, expected);
        if (!there.equals(expected)) {
            throw target.refused(expected.size() + " parts, which were written", String.valueOf(there.size()));
        }
    }

    private void commit(PromptTable asked, AnswerTable target, RowParts parts, Map.Entry<Integer, Long> part) {
        int rowsOfPart = Math.toIntExact(part.getValue());
        int tasks = SparkGenerator.tasks(context, rowsOfPart);
        int files = (rowsOfPart + ROWS_OF_A_FILE - 1) / ROWS_OF_A_FILE;
        context.setJobDescription("generate: part " + (part.getKey() + 1) + " of " + parts.number());
        try {
            target.write(asked.answered(parts.part(part.getKey(), tasks)).repartition(files), part.getKey());
        } finally {
            context.setJobDescription(null);
        }
    }
}
