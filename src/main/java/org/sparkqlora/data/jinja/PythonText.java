package org.sparkqlora.data.jinja;

import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** Values written as Python's {@code str} and {@code repr} do. */
final class PythonText {
    private PythonText() {}

    static String str(@Nullable Object value) {
        if (value instanceof String text) {
            return text;
        }

        return value instanceof Undefined ? "" : repr(value);
    }

    static String repr(@Nullable Object value) {
        if (value == null) {
            return "None";
        }

        if (value instanceof Boolean bool) {
            return bool ? "True" : "False";
        }

        if (value instanceof Number number) {
            return PythonNumbers.text(number);
        }

        if (value instanceof String text) {
            return quoted(text);
        }

        if (value instanceof List<?> items) {
            return items.stream().map(PythonText::repr).collect(Collectors.joining(", ", "[", "]"));
        }

        if (value instanceof Map<?, ?> map) {
            return map.entrySet().stream()
                    .map(entry -> repr(entry.getKey()) + ": " + repr(entry.getValue()))
                    .collect(Collectors.joining(", ", "{", "}"));
        }

        if (value instanceof Undefined) {
            return "Undefined";
        }

        throw new EvaluationException("cannot write a %s as text".formatted(Values.kind(value)));
    }

    private static String quoted(String text) {
        char quote = text.indexOf('\'') >= 0 && text.indexOf('"') < 0 ? '"' : '\'';
        StringBuilder quoted = new StringBuilder().append(quote);
        text.codePoints().forEach(c -> quoted.append(escaped(c, quote)));
        return quoted.append(quote).toString();
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
