package org.sparkqlora.data.jinja;

import java.math.BigDecimal;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** Jinja's filters of single values; those of lists are in {@link ListFilters}. */
final class Filters {
    /** Decimal places of any number are fewer. */
    private static final int MOST_PLACES = 400;

    private Filters() {}

    static @Nullable Object apply(String name, @Nullable Object input, CallArguments arguments) {
        Budget budget = arguments.budget();
        budget.look(input);
        return switch (name) {
            case "upper", "lower", "capitalize", "title", "trim", "replace", "indent", "escape", "e", "string" ->
                ofText(name, PythonText.str(input, budget), arguments);
            case "safe" -> input;
            case "wordcount" -> words(PythonText.str(input, budget));
            case "length", "count" -> Values.length(input);
            case "default", "d" -> orDefault(input, arguments);
            case "int" -> toInteger(input, arguments.value(0, "default", 0L));
            case "float" -> toDouble(input, arguments.value(0, "default", 0.0));
            case "abs" -> absolute(input);
            case "round" -> round(input, arguments);
            case "tojson" -> toJson(input, arguments);
            case "items" -> items(input, budget);
            case "dictsort" -> sortedItems(input, arguments);
            case "attr" -> Fields.attribute(input, arguments.requiredText(0, "name"), budget);
            default -> ListFilters.apply(name, input, arguments);
        };
    }

    private static String ofText(String name, String text, CallArguments arguments) {
        Budget budget = arguments.budget();
        return switch (name) {
            case "upper" -> budget.made(text.toUpperCase(Locale.ROOT));
            case "lower" -> budget.made(text.toLowerCase(Locale.ROOT));
            case "capitalize" -> budget.made(TextMethods.capitalize(text));
            case "title" -> title(text, budget);
            case "trim" -> TextMethods.strip(text, "strip", arguments);
            case "replace" -> TextMethods.replace(text, arguments);
            case "indent" -> indent(text, arguments);
            case "escape", "e" -> escape(text, budget);
            default -> text;
        };
    }

    /** Runs of letters, digits and underscores. */
    private static long words(String text) {
        long words = 0;
        boolean inWord = false;
        for (int at = 0; at < text.length(); at += Character.charCount(text.codePointAt(at))) {
            int c = text.codePointAt(at);
            boolean ofWord = Character.isLetterOrDigit(c) || c == '_';
            words += ofWord && !inWord ? 1 : 0;
            inWord = ofWord;
        }

        return words;
    }

    private static @Nullable Object orDefault(@Nullable Object input, CallArguments arguments) {
        boolean missing = input instanceof Undefined || arguments.isTrue(1, "boolean", false) && !Values.isTrue(input);
        return missing ? arguments.value(0, "default_value", "") : input;
    }

    private static String title(String text, Budget budget) {
        GrowingText title = new GrowingText(budget);
        boolean first = true;
        for (int at = 0; at < text.length(); at += Character.charCount(text.codePointAt(at))) {
            int c = text.codePointAt(at);
            title.appendCodePoint(first ? Character.toUpperCase(c) : Character.toLowerCase(c));
            first = TextMethods.isSpace(c) || "-([{<".indexOf(c) >= 0;
        }

        return title.toString();
    }

    private static String indent(String text, CallArguments arguments) {
        Budget budget = arguments.budget();
        Object width = arguments.value(0, "width", 4L);
        String indentation =
                width instanceof String given ? given : Operators.repeat(" ", arguments.integer(0, "width", 4), budget);
        boolean blankToo = arguments.isTrue(2, "blank", false);
        GrowingText indented = new GrowingText(budget);
        int from = 0;
        for (int end = text.indexOf('\n'); from <= text.length(); end = text.indexOf('\n', from)) {
            int to = end < 0 ? text.length() : end;
            boolean isIndented = from == 0 ? arguments.isTrue(1, "first", false) : blankToo || to > from;
            indented.append(isIndented ? indentation : "").append(text.substring(from, to));
            indented.append(end < 0 ? "" : "\n");
            from = to + 1;
        }

        return indented.toString();
    }

    private static String escape(String text, Budget budget) {
        GrowingText escaped = new GrowingText(budget);
        for (int i = 0; i < text.length(); i++) {
            switch (text.charAt(i)) {
                case '&' -> escaped.append("&amp;");
                case '>' -> escaped.append("&gt;");
                case '<' -> escaped.append("&lt;");
                case '\'' -> escaped.append("&#39;");
                case '"' -> escaped.append("&#34;");
                default -> escaped.append(text.charAt(i));
            }
        }

        return escaped.toString();
    }

    private static @Nullable Object toInteger(@Nullable Object input, @Nullable Object otherwise) {
        Number number = toNumber(input);
        if (number == null) {
            return otherwise;
        }

        if (PythonNumbers.isInteger(number)) {
            return number;
        }

        double value = number.doubleValue();
        return Double.isFinite(value) ? PythonNumbers.integer(new BigDecimal(value)) : otherwise;
    }

    private static @Nullable Object toDouble(@Nullable Object input, @Nullable Object otherwise) {
        Number number = toNumber(input);
        return number == null ? otherwise : (Object) number.doubleValue();
    }

    private static @Nullable Number toNumber(@Nullable Object input) {
        return input instanceof String text ? PythonNumbers.read(text) : Values.number(input);
    }

    private static Object absolute(@Nullable Object input) {
        Number number = requireNumber(input);
        return PythonNumbers.isInteger(number) ? (Object) Math.abs(number.longValue()) : Math.abs(number.doubleValue());
    }

    private static Number round(@Nullable Object input, CallArguments arguments) {
        Number value = requireNumber(input);
        long precision = arguments.integer(0, "precision", 0);
        int places = (int) Math.max(-MOST_PLACES, Math.min(MOST_PLACES, precision));
        double unit = Math.pow(10, places);
        return switch (arguments.text(1, "method", "common")) {
            case "ceil" -> Math.ceil(value.doubleValue() * unit) / unit;
            case "floor" -> Math.floor(value.doubleValue() * unit) / unit;
            default -> PythonNumbers.rounded(value, places);
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
        Budget budget = arguments.budget();
        Object indent = arguments.value(1, "indent", null);
        boolean oneLine = indent == null;
        String item = oneLine ? ", " : ",";
        String key = ": ";
        if (arguments.value(2, "separators", null) instanceof List<?> separators && separators.size() == 2) {
            item = PythonText.str(separators.get(0), budget);
            key = PythonText.str(separators.get(1), budget);
        }

        String indentation = indent instanceof String text ? text : null;
        if (Values.number(indent) instanceof Long width) {
            indentation = Operators.repeat(" ", width, budget);
        }

        boolean asciiOnly = arguments.isTrue(0, "ensure_ascii", false);
        boolean sorted = arguments.isTrue(3, "sort_keys", false);
        return ToJson.write(input, new ToJson.Style(indentation, item, key, asciiOnly, sorted), budget);
    }

    private static List<@Nullable Object> items(@Nullable Object input, Budget budget) {
        return input instanceof Undefined ? List.of() : MapMethods.items(requireMap(input), budget);
    }

    private static List<@Nullable Object> sortedItems(@Nullable Object input, CallArguments arguments) {
        String by = arguments.text(1, "by", "key");
        if (!by.equals("key") && !by.equals("value")) {
            throw new EvaluationException("cannot sort a mapping by '%s': expected key or value".formatted(by));
        }

        List<@Nullable Object> items = MapMethods.items(requireMap(input), arguments.budget());
        Comparator<@Nullable Object> order = Comparator.comparing(
                item -> ((List<?>) Objects.requireNonNull(item)).get(by.equals("key") ? 0 : 1),
                ListFilters.order(arguments, 0));
        items.sort(arguments.isTrue(2, "reverse", false) ? order.reversed() : order);
        return items;
    }

    private static Map<?, ?> requireMap(@Nullable Object input) {
        if (input instanceof Map<?, ?> map) {
            return map;
        }

        throw new EvaluationException("expected a mapping, found a " + Values.kind(input));
    }

    static String joined(List<@Nullable Object> items, String separator, Budget budget) {
        GrowingText joined = new GrowingText(budget);
        String between = "";
        for (Object item : items) {
            joined.append(between).append(PythonText.str(item, budget));
            between = separator;
        }

        return joined.toString();
    }
}
