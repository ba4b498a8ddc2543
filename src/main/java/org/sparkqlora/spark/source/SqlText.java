package org.sparkqlora.spark.source;

import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;

/** Expressions of SQL as text. */
final class SqlText {
    private static final Pattern QUOTED = Pattern.compile("'(?:[^'\\\\]|\\\\.)*'|\"(?:[^\"\\\\]|\\\\.)*\"|`[^`]*`");
    private static final String QUOTES = "'\"`";
    private static final char MASK = '_';

    private SqlText() {}

    /** The text with its quoted parts masked, at the same places. */
    static String withoutQuoted(String text) {
        return QUOTED.matcher(text)
                .replaceAll(found -> String.valueOf(MASK).repeat(found.group().length()));
    }

    /** Whether all of its quotes and parentheses are closed. */
    static boolean isClosed(String text) {
        String plain = withoutQuoted(text);
        return plain.chars().noneMatch(c -> QUOTES.indexOf(c) >= 0) && depth(plain) == 0;
    }

    /** Whether it is one expression in parentheses. */
    static boolean isEnclosed(String text) {
        String plain = withoutQuoted(text);
        int last = plain.length() - 1;
        if (!plain.startsWith("(") || !plain.endsWith(")")) {
            return false;
        }

        for (int i = 1; i <= last; i++) {
            if (depth(plain.substring(0, i)) == 0) {
                return false;
            }
        }

        return depth(plain) == 0;
    }

    /** Its parts between commas that are in no parentheses and no quotes. */
    static List<String> list(String text) {
        String plain = withoutQuoted(text);
        List<String> parts = new ArrayList<>();
        int begin = 0;
        for (int i = 0; i <= plain.length(); i++) {
            if (i == plain.length() || plain.charAt(i) == ',' && depth(plain.substring(0, i)) == 0) {
                parts.add(text.substring(begin, i).strip());
                begin = i + 1;
            }
        }

        return parts;
    }

    private static int depth(String plain) {
        return (int) (plain.chars().filter(c -> c == '(').count()
                - plain.chars().filter(c -> c == ')').count());
    }
}
