package org.sparkqlora.spark.job;

import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import org.apache.spark.api.java.function.MapPartitionsFunction;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructType;
import org.jspecify.annotations.Nullable;
import org.sparkqlora.data.BadRecordException;
import org.sparkqlora.model.DecoderModel;

/**
 * Rows whose last column is a text that is asked, with the answer in its place and, if wanted, the reason why there is none. Many answers
 * grow together, none of which depends on its neighbours; in float32 each is the one that {@link AnswerText} gives. Runs in a task.
 *
 * @param tellsErrors whether a prompt that cannot be used is told in its row, and not by a failing task
 */
public record AnswerRows(AnswerText answers, boolean tellsErrors) implements MapPartitionsFunction<Row, Row> {
    /** The reason why a row has no answer. */
    public static final StructType ERROR =
            new StructType().add("type", DataTypes.StringType, false).add("message", DataTypes.StringType, false);

    private static final String BAD_PROMPT = "BAD_PROMPT";

    /** Rows that are answered together. */
    private static final int MOST_ROWS = 8 * DecoderModel.TEXTS_AT_ONCE;

    private static final long serialVersionUID = 1L;

    @Override
    public Iterator<Row> call(Iterator<Row> rows) {
        return new RowGroups(rows, MOST_ROWS, this::answered);
    }

    private List<Row> answered(List<Row> rows) {
        List<Asked> asked = rows.stream().map(this::asked).toList();
        Iterator<String> made = answers.all(
                        asked.stream().flatMap(row -> row.prompts().stream()).toList())
                .iterator();
        List<Row> answered = new ArrayList<>();
        for (int i = 0; i < rows.size(); i++) {
            boolean hasAnswer = !asked.get(i).prompts().isEmpty();
            answered.add(row(
                    rows.get(i), hasAnswer ? made.next() : null, asked.get(i).error()));
        }

        return answered;
    }

    /**
     * What is asked in a row.
     *
     * @param prompts one, or none where nothing is asked or what is cannot be used
     */
    private record Asked(List<int[]> prompts, @Nullable Row error) {}

    private Asked asked(Row row) {
        String text = row.getString(row.size() - 1);
        if (text == null) {
            return new Asked(List.of(), null);
        }

        try {
            return new Asked(List.of(answers.prompt(text)), null);
        } catch (BadRecordException e) {
            if (!tellsErrors) {
                throw e;
            }

            return new Asked(List.of(), RowFactory.create(BAD_PROMPT, String.valueOf(e.getMessage())));
        }
    }

    private Row row(Row asked, @Nullable String answer, @Nullable Row error) {
        return tellsErrors ? RowGroups.withLast(asked, answer, error) : RowGroups.withLast(asked, answer);
    }
}
