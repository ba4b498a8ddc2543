package org.sparkqlora.spark.job;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.Iterator;
import java.util.List;
import java.util.NoSuchElementException;
import java.util.function.UnaryOperator;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;
import org.jspecify.annotations.Nullable;

/** The rows that are made of others, a group at a time: first as many as a look at a table wants, then many. */
final class RowGroups implements Iterator<Row> {
    private static final int FIRST = 32;

    private final Iterator<Row> rows;
    private final int most;
    private final UnaryOperator<List<Row>> made;
    private final Deque<Row> ready = new ArrayDeque<>();
    private int next = FIRST;

    /** @param made a row of each of a group's, in their order */
    RowGroups(Iterator<Row> rows, int most, UnaryOperator<List<Row>> made) {
        this.rows = rows;
        this.most = most;
        this.made = made;
    }

    /** {@code row} with {@code values} in the place of its last one. */
    static Row withLast(Row row, @Nullable Object... values) {
        return with(row, row.size() - 1, values);
    }

    /** The first {@code kept} values of {@code row} and {@code values}. */
    static Row with(Row row, int kept, @Nullable Object... values) {
        Object[] all = new Object[kept + values.length];
        for (int i = 0; i < kept; i++) {
            all[i] = row.get(i);
        }

        System.arraycopy(values, 0, all, kept, values.length);
        return RowFactory.create(all);
    }

    @Override
    public boolean hasNext() {
        return !ready.isEmpty() || rows.hasNext();
    }

    @Override
    public Row next() {
        if (!hasNext()) {
            throw new NoSuchElementException("Cannot give another row: all are made");
        }

        if (ready.isEmpty()) {
            List<Row> group = new ArrayList<>();
            while (rows.hasNext() && group.size() < next) {
                group.add(rows.next());
            }

            ready.addAll(made.apply(group));
            next = most;
        }

        return ready.remove();
    }
}
