package org.sparkqlora.spark.job;

import java.io.Serializable;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import org.sparkqlora.data.BadRecordException;

/** One value for each adapter by its name. The empty name is that of rows which name none. */
public final class ByAdapter<T> implements Serializable {
    private static final long serialVersionUID = 1L;

    private final TreeMap<String, T> values;

    public ByAdapter(SortedMap<String, T> values) {
        this.values = new TreeMap<>(values);
    }

    /** The value of the adapter that a row names; nothing where none has that name. */
    Optional<T> find(@Nullable String name) {
        return Optional.ofNullable(values.get(name == null ? "" : name));
    }

    /** As {@link #find}, where a name of none is the row's mistake. */
    public T require(@Nullable String name) {
        return find(name).orElseThrow(() -> unknown(name));
    }

    /** That no adapter has that name. */
    BadRecordException unknown(@Nullable String name) {
        String names = String.join(", ", values.tailMap("", false).keySet());
        return new BadRecordException("Cannot find adapter %s: expected %s"
                .formatted(
                        name, names.isEmpty() ? "no name, as no adapter has one" : "one of " + names + ", or no name"));
    }
}
