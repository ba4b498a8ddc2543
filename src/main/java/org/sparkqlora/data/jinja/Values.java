package org.sparkqlora.data.jinja;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** What Python's operators say about the values of a template: String, Boolean, Number, List, Map, null and our own. */
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

    static boolean equal(@Nullable Object left, @Nullable Object right) {
        Number leftNumber = number(left);
        Number rightNumber = number(right);
        if (leftNumber != null && rightNumber != null) {
            return PythonNumbers.compare(leftNumber, rightNumber) == 0;
        }

        if (left instanceof List<?> first && right instanceof List<?> second) {
            return equalItems(first, second);
        }

        if (left instanceof Map<?, ?> first && right instanceof Map<?, ?> second) {
            return equalEntries(first, second);
        }

        return left instanceof Undefined ? right instanceof Undefined : Objects.equals(left, right);
    }

    private static boolean equalItems(List<?> left, List<?> right) {
        if (left.size() != right.size()) {
            return false;
        }

        for (int i = 0; i < left.size(); i++) {
            if (!equal(left.get(i), right.get(i))) {
                return false;
            }
        }

        return true;
    }

    private static boolean equalEntries(Map<?, ?> left, Map<?, ?> right) {
        return left.size() == right.size()
                && left.entrySet().stream()
                        .allMatch(entry -> right.containsKey(entry.getKey())
                                && equal(entry.getValue(), right.get(entry.getKey())));
    }

    /** Order of two values; negative when {@code left} comes first. */
    static int compare(@Nullable Object left, @Nullable Object right) {
        Number leftNumber = number(left);
        Number rightNumber = number(right);
        if (leftNumber != null && rightNumber != null) {
            return PythonNumbers.compare(leftNumber, rightNumber);
        }

        if (left instanceof String first && right instanceof String second) {
            return compareText(first, second);
        }

        if (left instanceof List<?> first && right instanceof List<?> second) {
            return compareItems(first, second);
        }

        throw new EvaluationException("cannot compare a %s with a %s".formatted(kind(left), kind(right)));
    }

    /** By code point, where Java would compare UTF-16 units. */
    private static int compareText(String left, String right) {
        int[] first = left.codePoints().toArray();
        int[] second = right.codePoints().toArray();
        return Arrays.compare(first, second);
    }

    private static int compareItems(List<?> left, List<?> right) {
        for (int i = 0; i < Math.min(left.size(), right.size()); i++) {
            int order = compare(left.get(i), right.get(i));
            if (order != 0) {
                return order;
            }
        }

        return Integer.compare(left.size(), right.size());
    }

    static boolean contains(@Nullable Object container, @Nullable Object item) {
        if (container instanceof String text) {
            if (item instanceof String part) {
                return text.contains(part);
            }

            throw new EvaluationException("cannot look for a %s in a string".formatted(kind(item)));
        }

        if (container instanceof Map<?, ?> map) {
            return map.containsKey(item);
        }

        return items(container).stream().anyMatch(other -> equal(other, item));
    }

    /** The items of a list, the keys of a mapping, the characters of a text; none of something undefined. */
    static List<@Nullable Object> items(@Nullable Object value) {
        if (value instanceof List<?> list) {
            return new ArrayList<>(list);
        }

        if (value instanceof Map<?, ?> map) {
            return new ArrayList<>(map.keySet());
        }

        if (value instanceof String text) {
            List<@Nullable Object> characters = new ArrayList<>();
            text.codePoints().forEach(c -> characters.add(Character.toString(c)));
            return characters;
        }

        if (value instanceof Undefined) {
            return new ArrayList<>();
        }

        throw new EvaluationException("cannot go through a " + kind(value));
    }

    static long length(@Nullable Object value) {
        return value instanceof String text
                ? text.codePointCount(0, text.length())
                : items(value).size();
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

    /** What a value is, for messages. */
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
