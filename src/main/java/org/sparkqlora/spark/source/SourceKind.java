package org.sparkqlora.spark.source;

import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/** The format of a file of records. */
enum SourceKind {
    /** A JSON object a line. */
    JSON_LINES,
    /** One JSON list of objects. */
    JSON_LIST,
    /** A text a line. */
    TEXT,
    /** Columns, as Spark reads them. */
    PARQUET,
    /** Columns, as Spark reads them. */
    ORC,
    /** Columns under a line of names, as Spark reads them. */
    CSV,
    /** Values separated by tabs. */
    TSV;

    private static final String JSON = ".json";

    /** By the end of a name, an end of compression left out; {@code beginsList} says whether a .json file does. */
    static SourceKind of(String name, boolean beginsList) {
        String plain = name.toLowerCase(Locale.ROOT).replaceAll("\\.(gz|bz2|zst|lz4|snappy|deflate)$", "");
        if (plain.endsWith(".parquet")) {
            return PARQUET;
        }

        if (plain.endsWith(".orc")) {
            return ORC;
        }

        if (plain.endsWith(".csv")) {
            return CSV;
        }

        if (plain.endsWith(".tsv")) {
            return TSV;
        }

        if (plain.endsWith(".txt")) {
            return TEXT;
        }

        return beginsList ? JSON_LIST : JSON_LINES;
    }

    /** Whether the name alone leaves open if it is a list. */
    static boolean mayBeList(String name) {
        return name.toLowerCase(Locale.ROOT).contains(JSON);
    }

    /** Whether Spark reads it, and not we ourselves. */
    boolean isTable() {
        return switch (this) {
            case PARQUET, ORC, CSV, TSV -> true;
            case JSON_LINES, JSON_LIST, TEXT -> false;
        };
    }

    /** Whether Spark decompresses a file of this name as a whole: it has no Zstandard of its own. */
    boolean canDecompress(String name) {
        return !isTable() || !name.toLowerCase(Locale.ROOT).endsWith(".zst");
    }

    /** Spark's options for a row as JSON: an empty cell of a spreadsheet stays a field. */
    Map<String, String> jsonOptions() {
        return separator().isPresent() ? Map.of("ignoreNullFields", "false") : Map.of();
    }

    /** The separator between the columns of a spreadsheet. */
    Optional<Character> separator() {
        return switch (this) {
            case CSV -> Optional.of(',');
            case TSV -> Optional.of('\t');
            case JSON_LINES, JSON_LIST, TEXT, PARQUET, ORC -> Optional.empty();
        };
    }

    /** In words, for people. */
    String words() {
        return switch (this) {
            case JSON_LINES -> "JSON lines";
            case JSON_LIST -> "a JSON list";
            case TEXT -> "lines of text";
            case PARQUET -> "Parquet";
            case ORC -> "ORC";
            case CSV -> "CSV";
            case TSV -> "tab-separated values";
        };
    }
}
