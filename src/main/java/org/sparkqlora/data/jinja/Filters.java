package org.sparkqlora.data.jinja;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** Jinja's filters of single values; those of lists are in {@link ListFilters}. */
final class Filters {
    private Filters() {}

    static @Nullable Object apply(String name, @Nullable Object input, CallArguments arguments) {
        return switch (name) {
            case "upper" -> PythonText.str(input).toUpperCase(Locale.ROOT);
            case "lower" -> PythonText.str(input).toLowerCase(Locale.ROOT);
            case "capitalize" -> TextMethods.capitalize(PythonText.str(input));
            case "title" -> title(PythonText.str(input));
            case "trim" -> TextMethods.strip(PythonText.str(input), "strip", arguments.value(0, "chars", null));
            case "replace" -> TextMethods.replace(PythonText.str(input), arguments);
            case "indent" -> indent(PythonText.str(input), arguments);
            case "escape", "e" -> escape(PythonText.str(input));
            case "string" -> PythonText.str(input);
            case "safe" -> input;
            case "wordcount" -> (long) PythonText.str(input).split("\\W+").length;
            case "length", "count" -> Values.length(input);
            case "default", "d" -> orDefault(input, arguments);
            case "int" -> toInteger(input, arguments.value(0, "default", 0L));
            case "float" -> toDouble(input, arguments.value(0, "default", 0.0));
            case "abs" -> absolute(input);
            case "round" -> round(input, arguments);
            case "tojson" -> toJson(input, arguments);
            case "items" -> items(input);
            case "dictsort" -> sortedItems(input);
            case "attr" -> Fields.attribute(input, arguments.requiredText(0, "name"));
            default -> ListFilters.apply(name, input, arguments);
        };
    }

    private static @Nullable Object orDefault(@Nullable Object input, CallArguments arguments) {
        boolean missing = input instanceof Undefined || arguments.isTrue(1, "boolean", false) && !Values.isTrue(input);
        return missing ? arguments.value(0, "default_value", "") : input;
    }

    private static String title(String text) {
        StringBuilder title = new StringBuilder();
        boolean first = true;
        for (int c : text.codePoints().toArray()) {
            title.appendCodePoint(first ? Character.toUpperCase(c) : Character.toLowerCase(c));
            first = PythonSpace.is(c) || "-([{<".indexOf(c) >= 0;
        }

        return title.toString();
    }

    private static String indent(String text, CallArguments arguments) {
        Object width = arguments.value(0, "width", 4L);
        String indentation = width instanceof String given ? given : " ".repeat((int) arguments.integer(0, "width", 4));
        boolean blankToo = arguments.isTrue(2, "blank", false);
        List<String> lines = new ArrayList<>(Arrays.asList(text.split("\n", -1)));
        for (int i = 0; i < lines.size(); i++) {
            boolean indented = i == 0
                    ? arguments.isTrue(1, "first", false)
                    : blankToo || !lines.get(i).isEmpty();
            lines.set(i, indented ? indentation + lines.get(i) : lines.get(i));
        }

        return String.join("\n", lines);
    }

    private static String escape(String text) {
        return text.replace("&", "&amp;")
                .replace(">", "&gt;")
                .replace("<", "&lt;")
                .replace("'", "&#39;")
                .replace("\"", "&#34;");
    }

    private static @Nullable Object toInteger(@Nullable Object input, @Nullable Object otherwise) {
        Number number = toNumber(input);
        if (number == null) {
            return otherwise;
        }

        return PythonNumbers.isInteger(number) ? number : (Object) (long) number.doubleValue();
    }

    private static @Nullable Object toDouble(@Nullable Object input, @Nullable Object otherwise) {
        Number number = toNumber(input);
        return number == null ? otherwise : (Object) number.doubleValue();
    }

    private static @Nullable Number toNumber(@Nullable Object input) {
        if (!(input instanceof String text)) {
            return Values.number(input);
        }

        String trimmed = text.strip();
        try {
            return trimmed.matches("[+-]?\\d+")
                    ? (Number) Long.parseLong(trimmed)
                    : (Number) Double.parseDouble(trimmed);
        } catch (NumberFormatException e) {
            return null;
        }
    }

    private static Object absolute(@Nullable Object input) {
        Number number = requireNumber(input);
        return PythonNumbers.isInteger(number) ? (Object) Math.abs(number.longValue()) : Math.abs(number.doubleValue());
    }

    private static double round(@Nullable Object input, CallArguments arguments) {
        double value = requireNumber(input).doubleValue();
        double unit = Math.pow(10, arguments.integer(0, "precision", 0));
        return switch (arguments.text(1, "method", "common")) {
            case "ceil" -> Math.ceil(value * unit) / unit;
            case "floor" -> Math.floor(value * unit) / unit;
            default -> Math.rint(value * unit) / unit;
        };
    }

    private static Number requireNumber(@Nullable Object input) {
        Number number = Values.number(input);
        if (number == null) {
            throw new EvaluationException("expected a number, found a " + Values.kind(input));
        }

        return number;
    }

    /** The filter of transformers: no escapes beyond JSON's own, a space after comma and colon. */
    private static String toJson(@Nullable Object input, CallArguments arguments) {
        Object indent = arguments.value(1, "indent", null);
        boolean oneLine = indent == null;
        String item = oneLine ? ", " : ",";
        String key = ": ";
        if (arguments.value(2, "separators", null) instanceof List<?> separators && separators.size() == 2) {
            item = PythonText.str(separators.get(0));
            key = PythonText.str(separators.get(1));
        }

        String indentation = indent instanceof String text ? text : null;
        if (Values.number(indent) instanceof Long width) {
            indentation = " ".repeat(Math.toIntExact(Math.max(0, width)));
        }

        boolean asciiOnly = arguments.isTrue(0, "ensure_ascii", false);
        boolean sorted = arguments.isTrue(3, "sort_keys", false);
        return PythonJson.write(input, new PythonJson.Style(indentation, item, key, asciiOnly, sorted));
    }

    private static List<@Nullable Object> items(@Nullable Object input) {
        if (input instanceof Undefined) {
            return List.of();
        }

        return MapMethods.items(requireMap(input));
    }

    private static List<@Nullable Object> sortedItems(@Nullable Object input) {
        List<@Nullable Object> items = MapMethods.items(requireMap(input));
        Collections.sort(
                items, (left, right) -> ListFilters.compareIgnoringCase(Values.items(left), Values.items(right)));
        return items;
    }

    private static Map<?, ?> requireMap(@Nullable Object input) {
        if (input instanceof Map<?, ?> map) {
            return map;
        }

        throw new EvaluationException("expected a mapping, found a " + Values.kind(input));
    }

    static String joined(List<@Nullable Object> items, String separator) {
        return items.stream().map(PythonText::str).collect(Collectors.joining(separator));
    }
}
