package org.sparkqlora.spark.job;

import java.util.Iterator;
import java.util.List;
import org.apache.spark.api.java.function.MapPartitionsFunction;
import org.apache.spark.sql.Row;

/**
 * Rows whose last column is a text, or the JSON of a record of one, with its scores in its place; null where it is null. Many pass together,
 * and none depends on its neighbours. Runs in a task.
 *
 * @param kind how the column holds them
 * @param ofRecords whether it holds records
 */
public record ScoreRows(TextScores scores, ScoreColumn kind, boolean ofRecords)
        implements MapPartitionsFunction<Row, Row> {
    private static final int MOST_ROWS = 1024;

    @Override
    public Iterator<Row> call(Iterator<Row> rows) {
        return new RowGroups(rows, MOST_ROWS, this::scored);
    }

    private List<Row> scored(List<Row> rows) {
        List<String> texts = rows.stream()
                .filter(row -> !row.isNullAt(row.size() - 1))
                .map(row -> row.getString(row.size() - 1))
                .toList();
        Iterator<double[]> found = (ofRecords ? scores.ofRecords(texts) : scores.of(texts)).iterator();
        return rows.stream()
                .map(row -> RowGroups.withLast(row, row.isNullAt(row.size() - 1) ? null : kind.value(found.next())))
                .toList();
    }
}
