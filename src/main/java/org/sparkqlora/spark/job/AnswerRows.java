package org.sparkqlora.spark.job;

import java.util.ArrayList;
import java.util.IdentityHashMap;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.apache.spark.api.java.function.MapPartitionsFunction;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructType;
import org.jspecify.annotations.Nullable;
import org.sparkqlora.data.BadRecordException;
import org.sparkqlora.model.DecoderModel;

/**
 * Rows whose last two columns are the name of an adapter and a text that is asked, with the answer in their place and, if wanted, the reason why
 * there is none. Many answers grow together, those by one adapter after those by another; none depends on its neighbours, and in float32 each is
 * the one that {@link AnswerText} gives. Runs in a task.
 *
 * @param answers by the names of adapters
 * @param losses whether the loss of an answer stands behind it
 * @param tellsErrors whether a row that cannot be answered says why, and not a failing task
 */
public record AnswerRows(ByAdapter<AnswerText> answers, AnswerText.Losses losses, boolean tellsErrors)
        implements MapPartitionsFunction<Row, Row> {
    /** The reason why a row has no answer. */
    public static final StructType ERROR =
            new StructType().add("type", DataTypes.StringType, false).add("message", DataTypes.StringType, false);

    private static final String BAD_PROMPT = "BAD_PROMPT";
    private static final String UNKNOWN_ADAPTER = "UNKNOWN_ADAPTER";

    /** Columns behind those that are kept. */
    private static final int ASKED = 2;

    /** Rows that are answered together. */
    private static final int MOST_ROWS = 8 * DecoderModel.TEXTS_AT_ONCE;

    @Override
    public Iterator<Row> call(Iterator<Row> rows) {
        return new RowGroups(rows, MOST_ROWS, this::answered);
    }

    private List<Row> answered(List<Row> rows) {
        List<Asked> asked = rows.stream().map(this::asked).toList();
        Map<AnswerText, List<Asked>> byAdapter = new LinkedHashMap<>();
        for (Asked row : asked) {
            if (row.by() != null) {
                byAdapter.computeIfAbsent(row.by(), any -> new ArrayList<>()).add(row);
            }
        }

        Map<Asked, AnswerText.Made> made = new IdentityHashMap<>();
        byAdapter.forEach((by, ofAdapter) -> {
            Iterator<AnswerText.Made> texts = by.all(
                            ofAdapter.stream().map(Asked::prompt).toList(), losses)
                    .iterator();
            ofAdapter.forEach(row -> made.put(row, texts.next()));
        });
        return IntStream.range(0, rows.size())
                .mapToObj(i ->
                        row(rows.get(i), made.get(asked.get(i)), asked.get(i).error()))
                .toList();
    }

    /**
     * The question of a row.
     *
     * @param by that answers; null where nothing is asked or what is cannot be used
     * @param error the reason why it cannot
     */
    private record Asked(
            @Nullable AnswerText by, int[] prompt, @Nullable Row error) {
        private static final Asked NOTHING = new Asked(null, new int[0], null);
    }

    private Asked asked(Row row) {
        String adapter = row.getString(row.size() - ASKED);
        String text = row.getString(row.size() - 1);
        if (text == null) {
            return Asked.NOTHING;
        }

        AnswerText by = answers.find(adapter).orElse(null);
        if (by == null) {
            return refused(UNKNOWN_ADAPTER, answers.unknown(adapter));
        }

        try {
            return new Asked(by, by.prompt(text), null);
        } catch (BadRecordException e) {
            return refused(BAD_PROMPT, e);
        }
    }

    private Asked refused(String type, BadRecordException reason) {
        if (!tellsErrors) {
            throw reason;
        }

        return new Asked(null, new int[0], RowFactory.create(type, String.valueOf(reason.getMessage())));
    }

    private Row row(Row asked, AnswerText.@Nullable Made made, @Nullable Row error) {
        List<@Nullable Object> values = new ArrayList<>();
        values.add(made == null ? null : made.text());
        if (losses == AnswerText.Losses.TOLD) {
            values.add(made == null ? null : made.loss());
        }

        if (tellsErrors) {
            values.add(error);
        }

        return RowGroups.with(asked, asked.size() - ASKED, values.toArray());
    }
}
