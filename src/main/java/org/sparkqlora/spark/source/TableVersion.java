package org.sparkqlora.spark.source;

import java.util.Locale;
import java.util.regex.Pattern;
import org.sparkqlora.input.BadInputException;

/**
 * A state of a table that is asked for, in SQL's words: {@code VERSION AS OF 3} or {@code TIMESTAMP AS OF 2026-11-01}.
 *
 * @param kind what {@code value} is
 * @param value a version of Delta or a snapshot of Iceberg, or a time as Spark reads it
 */
record TableVersion(Kind kind, String value) {
    private static final Pattern NUMBER = Pattern.compile("\\d{1,19}");

    /** The kind of name that a table's state has. */
    enum Kind {
        VERSION,
        TIMESTAMP
    }

    TableVersion {
        if (kind == Kind.VERSION && !NUMBER.matcher(value).matches()) {
            throw new BadInputException(
                    "Cannot read a table VERSION AS OF %s: expected the number of a Delta version or of an Iceberg snapshot"
                            .formatted(value));
        }
    }

    /** @param state perhaps in quotes */
    static TableVersion of(String kind, String state) {
        return new TableVersion(Kind.valueOf(kind.toUpperCase(Locale.ROOT)), state.replaceAll("^['\"]|['\"]$", ""));
    }

    @Override
    public String toString() {
        return kind + " AS OF " + value;
    }
}
