package org.sparkqlora.data.jinja;

import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/** Jinja's filters of lists. */
final class ListFilters {
    private ListFilters() {}

    static @Nullable Object apply(String name, @Nullable Object input, CallArguments arguments) {
        return switch (name) {
            case "list" -> Values.items(input);
            case "first" -> first(Values.items(input));
            case "last" -> last(Values.items(input));
            case "join" -> join(Values.items(input), arguments);
            case "reverse" -> reverse(input);
            case "sort" -> sort(Values.items(input), arguments);
            case "unique" -> unique(Values.items(input));
            case "sum" -> sum(Values.items(input));
            case "min" -> Collections.min(Values.items(input), Values::compare);
            case "max" -> Collections.max(Values.items(input), Values::compare);
            case "map" -> map(Values.items(input), arguments);
            case "select" -> keep(input, item -> test(item, arguments));
            case "reject" -> keep(input, item -> !test(item, arguments));
            case "selectattr" -> keep(input, item -> testAttribute(item, arguments));
            case "rejectattr" -> keep(input, item -> !testAttribute(item, arguments));
            default -> throw new EvaluationException("unsupported filter '%s'".formatted(name));
        };
    }

    private static @Nullable Object first(List<@Nullable Object> items) {
        return items.isEmpty() ? new Undefined("the first item of an empty list") : items.get(0);
    }

    private static @Nullable Object last(List<@Nullable Object> items) {
        return items.isEmpty() ? new Undefined("the last item of an empty list") : items.get(items.size() - 1);
    }

    private static String join(List<@Nullable Object> items, CallArguments arguments) {
        Object attribute = arguments.value(1, "attribute", null);
        List<@Nullable Object> parts = attribute == null ? items : attributes(items, PythonText.str(attribute), null);
        return Filters.joined(parts, PythonText.str(arguments.value(0, "d", "")));
    }

    private static Object reverse(@Nullable Object input) {
        List<@Nullable Object> items = Values.items(input);
        Collections.reverse(items);
        return input instanceof String ? TextMethods.join("", items) : items;
    }

    private static List<@Nullable Object> sort(List<@Nullable Object> items, CallArguments arguments) {
        Object attribute = arguments.value(2, "attribute", null);
        boolean caseSensitive = arguments.isTrue(1, "case_sensitive", false);
        Comparator<@Nullable Object> order = caseSensitive ? Values::compare : ListFilters::compareIgnoringCase;
        Comparator<@Nullable Object> byKey = attribute == null
                ? order
                : (left, right) ->
                        order.compare(path(left, PythonText.str(attribute)), path(right, PythonText.str(attribute)));
        items.sort(arguments.isTrue(0, "reverse", false) ? byKey.reversed() : byKey);
        return items;
    }

    static int compareIgnoringCase(@Nullable Object left, @Nullable Object right) {
        return Values.compare(lowered(left), lowered(right));
    }

    private static @Nullable Object lowered(@Nullable Object value) {
        if (value instanceof List<?> items) {
            return items.stream().map(ListFilters::lowered).toList();
        }

        return value instanceof String text ? text.toLowerCase(Locale.ROOT) : value;
    }

    private static List<@Nullable Object> unique(List<@Nullable Object> items) {
        List<@Nullable Object> seen = new ArrayList<>();
        List<@Nullable Object> kept = new ArrayList<>();
        for (Object item : items) {
            if (seen.stream().noneMatch(other -> Values.equal(other, lowered(item)))) {
                seen.add(lowered(item));
                kept.add(item);
            }
        }

        return kept;
    }

    private static Object sum(List<@Nullable Object> items) {
        Object sum = 0L;
        for (Object item : items) {
            sum = Operators.arithmetic("+", sum, item);
        }

        return sum;
    }

    /** {@code map('filter', ...)} or {@code map(attribute='name', default=...)}. */
    private static List<@Nullable Object> map(List<@Nullable Object> items, CallArguments arguments) {
        if (arguments.named().get("attribute") != null) {
            return attributes(
                    items,
                    PythonText.str(arguments.named().get("attribute")),
                    arguments.named().get("default"));
        }

        String filter = arguments.requiredText(0, "filter");
        List<@Nullable Object> mapped = new ArrayList<>();
        for (Object item : items) {
            mapped.add(Filters.apply(filter, item, arguments.after(1)));
        }

        return mapped;
    }

    private static List<@Nullable Object> attributes(
            List<@Nullable Object> items, String path, @Nullable Object otherwise) {
        List<@Nullable Object> values = new ArrayList<>();
        for (Object item : items) {
            Object value = path(item, path);
            values.add(value instanceof Undefined && otherwise != null ? otherwise : value);
        }

        return values;
    }

    private static List<@Nullable Object> keep(@Nullable Object input, Predicate<@Nullable Object> condition) {
        List<@Nullable Object> kept = new ArrayList<>();
        for (Object item : Values.items(input)) {
            if (condition.test(item)) {
                kept.add(item);
            }
        }

        return kept;
    }

    private static boolean test(@Nullable Object item, CallArguments arguments) {
        return arguments.positional().isEmpty()
                ? Values.isTrue(item)
                : Tests.test(arguments.requiredText(0, "test"), item, arguments.after(1));
    }

    private static boolean testAttribute(@Nullable Object item, CallArguments arguments) {
        return test(path(item, arguments.requiredText(0, "attribute")), arguments.after(1));
    }

    /** Fields of fields, separated by dots; numbers are places in a list. */
    private static @Nullable Object path(@Nullable Object item, String path) {
        Object value = item;
        for (String name : path.split("\\.", -1)) {
            value = Fields.item(value, name.matches("\\d+") ? (Object) Long.parseLong(name) : name);
        }

        return value;
    }
}
