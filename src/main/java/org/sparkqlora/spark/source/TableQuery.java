package org.sparkqlora.spark.source;

import java.util.Objects;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.sparkqlora.input.BadInputException;

/**
 * A source in SQL's words: {@code [SELECT columns FROM] name [VERSION AS OF 3 | TIMESTAMP AS OF 2026-11-01] [WHERE condition]}.
 *
 * @param name of a table, or a path, which may be given as {@code delta.`path`}
 * @param version the state of a table that is asked for
 * @param selection the columns and rows that are asked for
 */
record TableQuery(String name, Optional<TableVersion> version, TableSelection selection) {
    private static final Pattern SYNTAX = Pattern.compile(
            "(?:SELECT\\s+(?<columns>.+?)\\s+FROM\\s+)?(?<name>.+?)"
                    + "(?:\\s+(?<kind>VERSION|TIMESTAMP)\\s+AS\\s+OF\\s+(?<state>.+?))?"
                    + "(?:\\s+WHERE\\s+(?<filter>.+))?",
            Pattern.CASE_INSENSITIVE | Pattern.DOTALL);

    /** As Spark's SQL names a path. */
    private static final Pattern PATH = Pattern.compile(
            "(?:delta|iceberg|hudi|parquet|orc|csv|json|text)\\.`(?<path>[^`]+)`", Pattern.CASE_INSENSITIVE);

    /** What a query of SQL goes on with that would make rows depend on others. */
    private static final Pattern OTHER_CLAUSE = Pattern.compile(
            "\\S+\\s+(?<clause>(?:LIMIT|ORDER|GROUP|HAVING|UNION|TABLESAMPLE|(?:\\w+\\s+)*JOIN)\\s.+)",
            Pattern.CASE_INSENSITIVE | Pattern.DOTALL);

    private static final Pattern BEGIN =
            Pattern.compile("SELECT\\s.*|.*\\sWHERE\\s.*", Pattern.CASE_INSENSITIVE | Pattern.DOTALL);

    static TableQuery parse(String source) {
        Matcher parts = SYNTAX.matcher(SqlText.withoutQuoted(source));
        if (!parts.matches()) {
            throw new BadInputException("Cannot read '%s': expected a path, or the name of a table".formatted(source));
        }

        Matcher other = OTHER_CLAUSE.matcher(parts.group("name"));
        if (parts.group("columns") != null && other.matches()) {
            throw new BadInputException(
                    "Cannot read '%s': expected SELECT columns FROM a table, then VERSION or TIMESTAMP AS OF and WHERE if any, found %s"
                            .formatted(source, other.group("clause")));
        }

        String state = part(source, parts, "state");
        return new TableQuery(
                pathOrName(Objects.requireNonNull(part(source, parts, "name"))),
                state == null ? Optional.empty() : Optional.of(TableVersion.of(parts.group("kind"), state.strip())),
                new TableSelection(part(source, parts, "columns"), part(source, parts, "filter")));
    }

    private static String pathOrName(String name) {
        Matcher path = PATH.matcher(name);
        return path.matches() ? path.group("path") : name;
    }

    /** With what is quoted. */
    private static @Nullable String part(String source, Matcher parts, String name) {
        return parts.start(name) < 0 ? null : source.substring(parts.start(name), parts.end(name));
    }

    /** Whether a list that was cut at commas was cut within this source. */
    static boolean isCut(String source) {
        return BEGIN.matcher(source).matches()
                && (!SqlText.isClosed(source)
                        || source.regionMatches(true, 0, "SELECT", 0, 6)
                                && parse(source).selection().columns() == null);
    }

    /** This query of the state that has {@code number}. */
    TableQuery asOf(long number) {
        return new TableQuery(name, Optional.of(TableVersion.of("VERSION", String.valueOf(number))), selection);
    }

    /** This query of no state. */
    TableQuery unversioned() {
        return new TableQuery(name, Optional.empty(), selection);
    }

    @Override
    public String toString() {
        String columns = selection.columns() == null ? "" : "SELECT %s FROM ".formatted(selection.columns());
        String filter = selection.filter() == null ? "" : " WHERE " + selection.filter();
        return columns + name + version.map(state -> " " + state).orElse("") + filter;
    }
}
