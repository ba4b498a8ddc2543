package org.sparkqlora.data.jinja;

import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.function.BiConsumer;
import org.jspecify.annotations.Nullable;
import org.sparkqlora.input.PythonLiteral;

/** Values written as Python's {@code json.dumps} does for the filter {@code tojson} of transformers. */
final class ToJson {
    private final Style style;
    private final Budget budget;
    private final GrowingText json;
    private int level;

    private ToJson(Style style, Budget budget) {
        this.style = style;
        this.budget = budget;
        this.json = new GrowingText(budget);
    }

    static String write(@Nullable Object value, Style style, Budget budget) {
        ToJson writer = new ToJson(style, budget);
        writer.append(value, "\n");
        return writer.json.toString();
    }

    /**
     * The layout of the text.
     *
     * @param indent what each level is indented by; null for one line
     */
    record Style(
            @Nullable String indent,
            String itemSeparator,
            String keySeparator,
            boolean asciiOnly,
            boolean sortedKeys) {}

    private void append(@Nullable Object value, String newline) {
        if (value == null) {
            json.append("null");
        } else if (value instanceof String text) {
            appendString(text);
        } else if (value instanceof Boolean) {
            json.append(value.toString());
        } else if (value instanceof Number number) {
            json.append(number(number));
        } else if (value instanceof List<?> items) {
            appendAll(items, '[', ']', newline, this::append);
        } else if (value instanceof Map<?, ?> map) {
            appendAll(entries(map), '{', '}', newline, this::appendEntry);
        } else {
            throw new EvaluationException("cannot write a %s as JSON".formatted(Values.kind(value)));
        }
    }

    private Collection<? extends Map.Entry<?, ?>> entries(Map<?, ?> map) {
        if (!style.sortedKeys()) {
            return map.entrySet();
        }

        budget.items(map.size());
        List<Map.Entry<?, ?>> sorted = new ArrayList<>(map.entrySet());
        sorted.sort((left, right) -> Values.compare(left.getKey(), right.getKey(), budget));
        return sorted;
    }

    private <T> void appendAll(
            Collection<? extends T> items, char open, char close, String newline, BiConsumer<T, String> writer) {
        level++;
        budget.requireWritable(level);
        json.append(open);
        if (items.isEmpty()) {
            level--;
            json.append(close);
            return;
        }

        String inner = style.indent() == null ? newline : budget.made(newline + style.indent());
        String separator = "";
        for (T item : items) {
            json.append(separator).append(style.indent() == null ? "" : inner);
            writer.accept(item, inner);
            separator = style.itemSeparator();
        }

        json.append(style.indent() == null ? "" : newline).append(close);
        level--;
    }

    private void appendEntry(Map.Entry<?, ?> entry, String newline) {
        appendString(key(entry.getKey()));
        json.append(style.keySeparator());
        append(entry.getValue(), newline);
    }

    private static String key(@Nullable Object key) {
        if (key == null) {
            return "null";
        }

        return key instanceof Number number ? number(number) : key.toString();
    }

    private static String number(Number number) {
        String text = PythonNumbers.text(number);
        return switch (text) {
            case "nan" -> "NaN";
            case "inf" -> "Infinity";
            case "-inf" -> "-Infinity";
            default -> text;
        };
    }

    private void appendString(String text) {
        json.append('"');
        text.chars().forEach(c -> json.append(escaped((char) c)));
        json.append('"');
    }

    private String escaped(char c) {
        return style.asciiOnly() ? PythonLiteral.asciiCharacter(c) : PythonLiteral.character(c);
    }
}
