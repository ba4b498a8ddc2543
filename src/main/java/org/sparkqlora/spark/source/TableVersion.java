package org.sparkqlora.spark.source;

import java.util.Locale;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.sparkqlora.input.BadInputException;

/**
 * A state of a table that is asked for, in SQL's words: {@code VERSION AS OF 3} or {@code TIMESTAMP AS OF 2026-11-01}.
 *
 * @param kind what {@code value} is
 * @param value a version of Delta or a snapshot of Iceberg, or a time as Spark reads it
 */
record TableVersion(Kind kind, String value) {
    private static final Pattern SUFFIX =
            Pattern.compile("(.+?)\\s+(VERSION|TIMESTAMP)\\s+AS\\s+OF\\s+(.+)", Pattern.CASE_INSENSITIVE);

    private static final Pattern NUMBER = Pattern.compile("\\d{1,19}");

    /** What names a state. */
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

    /** The name of a source without the state behind it. */
    static String nameOf(String source) {
        Matcher suffix = SUFFIX.matcher(source);
        return suffix.matches() ? suffix.group(1) : source;
    }

    /** The state that a source asks for, if any. */
    static Optional<TableVersion> of(String source) {
        Matcher suffix = SUFFIX.matcher(source);
        if (!suffix.matches()) {
            return Optional.empty();
        }

        String quoted = suffix.group(3).strip();
        return Optional.of(new TableVersion(
                Kind.valueOf(suffix.group(2).toUpperCase(Locale.ROOT)), quoted.replaceAll("^['\"]|['\"]$", "")));
    }

    @Override
    public String toString() {
        return kind + " AS OF " + value;
    }
}
