package org.sparkqlora.data.jinja;

import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Values written as Python's {@code str} and {@code repr} do. */
final class PythonText {
    /** Chars of a text that a message shows. */
    private static final int BRIEF = 40;

    private final Budget budget;
    private final GrowingText out;

    private PythonText(Budget budget) {
        this.budget = budget;
        this.out = new GrowingText(budget);
    }

    static String str(@Nullable Object value, Budget budget) {
        if (value instanceof String text) {
            return text;
        }

        if (value instanceof Undefined) {
            return "";
        }

        PythonText writer = new PythonText(budget);
        writer.append(value, 0);
        return writer.out.toString();
    }

    /** A key for messages: the beginning of a text, a number, else what it is. */
    static String brief(@Nullable Object value) {
        if (value instanceof String text) {
            return "'" + (text.length() <= BRIEF ? text : text.substring(0, BRIEF) + "...") + "'";
        }

        return value instanceof Number number ? PythonNumbers.text(number) : "a " + Values.kind(value);
    }

    private void append(@Nullable Object value, int level) {
        if (value == null) {
            out.append("None");
        } else if (value instanceof Boolean bool) {
            out.append(bool ? "True" : "False");
        } else if (value instanceof Number number) {
            out.append(PythonNumbers.text(number));
        } else if (value instanceof String text) {
            appendQuoted(text);
        } else if (value instanceof List<?> items) {
            appendItems(items, level + 1);
        } else if (value instanceof Map<?, ?> map) {
            appendEntries(map, level + 1);
        } else if (value instanceof Undefined) {
            out.append("Undefined");
        } else {
            throw new EvaluationException("cannot write a %s as text".formatted(Values.kind(value)));
        }
    }

    private void appendItems(List<?> items, int level) {
        budget.requireWritable(level);
        out.append('[');
        String separator = "";
        for (Object item : items) {
            out.append(separator);
            append(item, level);
            separator = ", ";
        }

        out.append(']');
    }

    private void appendEntries(Map<?, ?> map, int level) {
        budget.requireWritable(level);
        out.append('{');
        String separator = "";
        for (Map.Entry<?, ?> entry : map.entrySet()) {
            out.append(separator);
            append(entry.getKey(), level);
            out.append(": ");
            append(entry.getValue(), level);
            separator = ", ";
        }

        out.append('}');
    }

    private void appendQuoted(String text) {
        char quote = text.indexOf('\'') >= 0 && text.indexOf('"') < 0 ? '"' : '\'';
        out.append(quote);
        text.codePoints().forEach(c -> out.append(escaped(c, quote)));
        out.append(quote);
    }

    private static String escaped(int codePoint, char quote) {
        return switch (codePoint) {
            case '\n' -> "\\n";
            case '\r' -> "\\r";
            case '\t' -> "\\t";
            case '\\' -> "\\\\";
            default -> codePoint == quote ? "\\" + quote : printable(codePoint);
        };
    }

    private static String printable(int codePoint) {
        if (codePoint >= ' ' && !isUnprintable(codePoint)) {
            return Character.toString(codePoint);
        }

        if (codePoint <= 0xff) {
            return "\\x%02x".formatted(codePoint);
        }

        return codePoint <= 0xffff ? "\\u%04x".formatted(codePoint) : "\\U%08x".formatted(codePoint);
    }

    private static boolean isUnprintable(int codePoint) {
        return switch (Character.getType(codePoint)) {
            case Character.CONTROL,
                    Character.FORMAT,
                    Character.SURROGATE,
                    Character.PRIVATE_USE,
                    Character.UNASSIGNED,
                    Character.LINE_SEPARATOR,
                    Character.PARAGRAPH_SEPARATOR -> true;
            case Character.SPACE_SEPARATOR -> codePoint != ' ';
            default -> false;
        };
    }
}
