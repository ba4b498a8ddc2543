package org.sparkqlora.data.jinja;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Python's operators on the values of a template: String, Boolean, Number, List, Map, null and our own. */
final class Values {
    private Values() {}

    static boolean isTrue(@Nullable Object value) {
        if (value == null || value instanceof Undefined) {
            return false;
        }

        if (value instanceof Boolean bool) {
            return bool;
        }

        if (value instanceof Number number) {
            return number.doubleValue() != 0;
        }

        if (value instanceof String text) {
            return !text.isEmpty();
        }

        if (value instanceof List<?> items) {
            return !items.isEmpty();
        }

        return !(value instanceof Map<?, ?> map) || !map.isEmpty();
    }

    static boolean equal(@Nullable Object left, @Nullable Object right, Budget budget) {
        Number leftNumber = number(left);
        Number rightNumber = number(right);
        if (leftNumber != null && rightNumber != null) {
            return PythonNumbers.compare(leftNumber, rightNumber) == 0;
        }

        if (left instanceof List<?> first && right instanceof List<?> second) {
            return first.size() == second.size() && equalItems(first, second, budget);
        }

        if (left instanceof Map<?, ?> first && right instanceof Map<?, ?> second) {
            return first.size() == second.size() && equalEntries(first, second, budget);
        }

        budget.look(left);
        return left instanceof String ? left.equals(right) : same(left, right);
    }

    /** Values that have no items: None, what is undefined, and what is equal to itself alone, such as a namespace. */
    private static boolean same(@Nullable Object left, @Nullable Object right) {
        return left == right || left instanceof Undefined && right instanceof Undefined;
    }

    private static boolean equalItems(List<?> left, List<?> right, Budget budget) {
        budget.enter();
        boolean equal = true;
        for (int i = 0; i < left.size() && equal; i++) {
            equal = equal(left.get(i), right.get(i), budget);
        }

        budget.leave();
        return equal;
    }

    private static boolean equalEntries(Map<?, ?> left, Map<?, ?> right, Budget budget) {
        budget.enter();
        boolean equal = true;
        for (Map.Entry<?, ?> entry : left.entrySet()) {
            equal = equal
                    && right.containsKey(entry.getKey())
                    && equal(entry.getValue(), right.get(entry.getKey()), budget);
        }

        budget.leave();
        return equal;
    }

    /** Order of two values; negative when {@code left} comes first. */
    static int compare(@Nullable Object left, @Nullable Object right, Budget budget) {
        Number leftNumber = number(left);
        Number rightNumber = number(right);
        if (leftNumber != null && rightNumber != null) {
            budget.steps(1);
            return PythonNumbers.compare(leftNumber, rightNumber);
        }

        if (left instanceof String first && right instanceof String second) {
            budget.look(first);
            return compareText(first, second);
        }

        if (left instanceof List<?> first && right instanceof List<?> second) {
            return compareItems(first, second, budget);
        }

        throw new EvaluationException("cannot compare a %s with a %s".formatted(kind(left), kind(right)));
    }

    /** By code point, where Java would compare UTF-16 units. */
    private static int compareText(String left, String right) {
        int at = 0;
        while (at < Math.min(left.length(), right.length()) && left.charAt(at) == right.charAt(at)) {
            at++;
        }

        if (at == left.length() || at == right.length()) {
            return Integer.compare(left.length(), right.length());
        }

        boolean withinPair = at > 0 && Character.isHighSurrogate(left.charAt(at - 1));
        int from = withinPair ? at - 1 : at;
        return Integer.compare(left.codePointAt(from), right.codePointAt(from));
    }

    private static int compareItems(List<?> left, List<?> right, Budget budget) {
        budget.enter();
        int order = 0;
        for (int i = 0; i < Math.min(left.size(), right.size()) && order == 0; i++) {
            order = compare(left.get(i), right.get(i), budget);
        }

        budget.leave();
        return order == 0 ? Integer.compare(left.size(), right.size()) : order;
    }

    static boolean contains(@Nullable Object container, @Nullable Object item, Budget budget) {
        budget.look(container);
        if (container instanceof String text) {
            if (item instanceof String part) {
                return new TextSearch(text, part, budget).isIn();
            }

            throw new EvaluationException("cannot look for a %s in a string".formatted(kind(item)));
        }

        if (container instanceof Map<?, ?> map) {
            return map.containsKey(requireKey(item));
        }

        for (Object other : container instanceof List<?> list ? list : items(container, budget)) {
            if (equal(other, item, budget)) {
                return true;
            }
        }

        return false;
    }

    /** A key of a mapping: a value without items. */
    static @Nullable Object requireKey(@Nullable Object value) {
        if (!isKey(value)) {
            throw new EvaluationException("cannot use a %s as a key".formatted(kind(value)));
        }

        return value;
    }

    static boolean isKey(@Nullable Object value) {
        return value == null
                || value instanceof String
                || value instanceof Number
                || value instanceof Boolean
                || value instanceof Undefined;
    }

    /** The items of a list, the keys of a mapping, the characters of a text; none of something undefined. */
    static List<@Nullable Object> items(@Nullable Object value, Budget budget) {
        budget.items(length(value));
        if (value instanceof List<?> list) {
            return new ArrayList<>(list);
        }

        if (value instanceof Map<?, ?> map) {
            return new ArrayList<>(map.keySet());
        }

        List<@Nullable Object> characters = new ArrayList<>();
        if (value instanceof String text) {
            text.codePoints().forEach(c -> characters.add(Character.toString(c)));
        }

        return characters;
    }

    /** The number of items that {@link #items} gives. */
    static long length(@Nullable Object value) {
        if (value instanceof String text) {
            return text.codePointCount(0, text.length());
        }

        if (value instanceof List<?> list) {
            return list.size();
        }

        if (value instanceof Map<?, ?> map) {
            return map.size();
        }

        if (value instanceof Undefined) {
            return 0;
        }

        throw new EvaluationException("cannot go through a " + kind(value));
    }

    /** A number; true and false count as 1 and 0. */
    static @Nullable Number number(@Nullable Object value) {
        if (value instanceof Boolean bool) {
            return bool ? 1L : 0L;
        }

        if (value instanceof Integer integer) {
            return integer.longValue();
        }

        return value instanceof Number number ? number : null;
    }

    /** The type of a value, for messages. */
    static String kind(@Nullable Object value) {
        if (value == null) {
            return "None";
        }

        if (value instanceof Undefined undefined) {
            return "value that is missing (%s is undefined)".formatted(undefined.what());
        }

        if (value instanceof String) {
            return "string";
        }

        if (value instanceof Boolean) {
            return "boolean";
        }

        if (value instanceof Number) {
            return "number";
        }

        if (value instanceof List) {
            return "list";
        }

        if (value instanceof Map) {
            return "mapping";
        }

        return value instanceof TemplateFunction ? "function" : value.getClass().getSimpleName();
    }
}
