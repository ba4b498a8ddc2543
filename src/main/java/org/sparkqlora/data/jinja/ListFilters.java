package org.sparkqlora.data.jinja;

import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.function.Predicate;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/** Jinja's filters of lists. */
final class ListFilters {
    /** More digits than these are no place of any list. */
    private static final int PLACE_DIGITS = 18;

    private ListFilters() {}

    static @Nullable Object apply(String name, @Nullable Object input, CallArguments arguments) {
        Budget budget = arguments.budget();
        return switch (name) {
            case "list" -> Values.items(input, budget);
            case "first" -> first(Values.items(input, budget));
            case "last" -> last(Values.items(input, budget));
            case "join" -> join(Values.items(input, budget), arguments);
            case "reverse" -> reverse(input, budget);
            case "sort" -> sort(Values.items(input, budget), arguments);
            case "unique" -> unique(Values.items(input, budget), arguments);
            case "sum" -> sum(Values.items(input, budget), arguments);
            case "min" -> least(Values.items(input, budget), arguments, "min");
            case "max" -> least(Values.items(input, budget), arguments, "max");
            case "map" -> map(Values.items(input, budget), arguments);
            case "select" -> keep(input, budget, item -> test(item, arguments));
            case "reject" -> keep(input, budget, item -> !test(item, arguments));
            case "selectattr" -> keep(input, budget, item -> testAttribute(item, arguments));
            case "rejectattr" -> keep(input, budget, item -> !testAttribute(item, arguments));
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
        Budget budget = arguments.budget();
        Object attribute = arguments.value(1, "attribute", null);
        List<@Nullable Object> parts =
                attribute == null ? items : attributes(items, PythonText.str(attribute, budget), null, budget);
        return Filters.joined(parts, PythonText.str(arguments.value(0, "d", ""), budget), budget);
    }

    private static Object reverse(@Nullable Object input, Budget budget) {
        List<@Nullable Object> items = Values.items(input, budget);
        Collections.reverse(items);
        return input instanceof String ? TextMethods.join("", items, budget) : items;
    }

    private static List<@Nullable Object> sort(List<@Nullable Object> items, CallArguments arguments) {
        Comparator<@Nullable Object> byKey = Comparator.comparing(key(arguments, 2), order(arguments, 1));
        items.sort(arguments.isTrue(0, "reverse", false) ? byKey.reversed() : byKey);
        return items;
    }

    /** What a filter looks at of each item: the attribute that an argument names, or the item. */
    private static UnaryOperator<@Nullable Object> key(CallArguments arguments, int attribute) {
        Object named = arguments.value(attribute, "attribute", null);
        if (named == null) {
            return item -> item;
        }

        String path = PythonText.str(named, arguments.budget());
        return item -> path(item, path, arguments.budget());
    }

    static Comparator<@Nullable Object> order(CallArguments arguments, int caseSensitive) {
        Budget budget = arguments.budget();
        return arguments.isTrue(caseSensitive, "case_sensitive", false)
                ? (left, right) -> Values.compare(left, right, budget)
                : (left, right) -> compareIgnoringCase(left, right, budget);
    }

    private static int compareIgnoringCase(@Nullable Object left, @Nullable Object right, Budget budget) {
        return Values.compare(lowered(left, budget), lowered(right, budget), budget);
    }

    private static @Nullable Object lowered(@Nullable Object value, Budget budget) {
        if (!(value instanceof List<?> items)) {
            return value instanceof String text ? budget.made(text.toLowerCase(Locale.ROOT)) : value;
        }

        budget.enter();
        budget.items(items.size());
        List<@Nullable Object> lowered = new ArrayList<>();
        for (Object item : items) {
            lowered.add(lowered(item, budget));
        }

        budget.leave();
        return lowered;
    }

    private static List<@Nullable Object> unique(List<@Nullable Object> items, CallArguments arguments) {
        Budget budget = arguments.budget();
        boolean caseSensitive = arguments.isTrue(0, "case_sensitive", false);
        UnaryOperator<@Nullable Object> looked = key(arguments, 1);
        Set<@Nullable Object> keys = new HashSet<>();
        List<@Nullable Object> lists = new ArrayList<>();
        List<@Nullable Object> kept = new ArrayList<>();
        for (Object item : items) {
            Object found = looked.apply(item);
            Object key = caseSensitive ? found : lowered(found, budget);
            if (Values.isKey(key) ? keys.add(PythonNumbers.key(key)) : isNew(key, lists, budget)) {
                kept.add(item);
            }
        }

        return kept;
    }

    private static boolean isNew(@Nullable Object list, List<@Nullable Object> before, Budget budget) {
        boolean isNew = !Values.contains(before, list, budget);
        before.add(list);
        return isNew;
    }

    private static @Nullable Object sum(List<@Nullable Object> items, CallArguments arguments) {
        UnaryOperator<@Nullable Object> added = key(arguments, 0);
        Object sum = arguments.value(1, "start", 0L);
        for (Object item : items) {
            sum = Operators.arithmetic("+", sum, added.apply(item), arguments.budget());
        }

        return sum;
    }

    private static @Nullable Object least(List<@Nullable Object> items, CallArguments arguments, String filter) {
        if (items.isEmpty()) {
            return new Undefined("the %s of an empty list".formatted(filter));
        }

        Comparator<@Nullable Object> order = Comparator.comparing(key(arguments, 1), order(arguments, 0));
        return Collections.min(items, filter.equals("max") ? order.reversed() : order);
    }

    /** {@code map('filter', ...)} or {@code map(attribute='name', default=...)}. */
    private static List<@Nullable Object> map(List<@Nullable Object> items, CallArguments arguments) {
        if (arguments.named().get("attribute") != null) {
            return attributes(
                    items,
                    PythonText.str(arguments.named().get("attribute"), arguments.budget()),
                    arguments.named().get("default"),
                    arguments.budget());
        }

        String filter = arguments.requiredText(0, "filter");
        List<@Nullable Object> mapped = new ArrayList<>();
        for (Object item : items) {
            mapped.add(Filters.apply(filter, item, arguments.after(1)));
        }

        return mapped;
    }

    private static List<@Nullable Object> attributes(
            List<@Nullable Object> items, String path, @Nullable Object otherwise, Budget budget) {
        List<@Nullable Object> values = new ArrayList<>();
        for (Object item : items) {
            Object value = path(item, path, budget);
            values.add(value instanceof Undefined && otherwise != null ? otherwise : value);
        }

        return values;
    }

    private static List<@Nullable Object> keep(
            @Nullable Object input, Budget budget, Predicate<@Nullable Object> condition) {
        List<@Nullable Object> kept = new ArrayList<>();
        for (Object item : Values.items(input, budget)) {
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
        return test(path(item, arguments.requiredText(0, "attribute"), arguments.budget()), arguments.after(1));
    }

    /** Fields of fields, separated by dots; numbers are places in a list. */
    private static @Nullable Object path(@Nullable Object item, String path, Budget budget) {
        budget.look(path);
        Object value = item;
        for (String name : path.split("\\.", -1)) {
            budget.steps(1);
            value = Fields.item(value, isPlace(name) ? (Object) Long.parseLong(name) : name, budget);
        }

        return value;
    }

    private static boolean isPlace(String name) {
        return !name.isEmpty() && name.length() <= PLACE_DIGITS && name.chars().allMatch(c -> c >= '0' && c <= '9');
    }
}
