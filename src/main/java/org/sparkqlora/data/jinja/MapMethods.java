package org.sparkqlora.data.jinja;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Methods of Python's dictionaries that change nothing. */
final class MapMethods {
    private MapMethods() {}

    /** The method called {@code name} of {@code map}, null when there is none. */
    static @Nullable TemplateFunction find(Map<?, ?> map, String name, Budget budget) {
        return switch (name) {
            case "items" -> (positional, named) -> items(map, budget);
            case "keys" -> (positional, named) -> made(map.keySet(), budget);
            case "values" -> (positional, named) -> made(map.values(), budget);
            case "get" -> (positional, named) -> get(map, new CallArguments(positional, named, budget));
            default -> null;
        };
    }

    private static List<@Nullable Object> made(Collection<?> values, Budget budget) {
        budget.items(values.size());
        return new ArrayList<>(values);
    }

    static List<@Nullable Object> items(Map<?, ?> map, Budget budget) {
        budget.items(3L * map.size()); // each a list of two
        List<@Nullable Object> items = new ArrayList<>();
        map.forEach((key, value) -> items.add(Arrays.asList(key, value)));
        return items;
    }

    private static @Nullable Object get(Map<?, ?> map, CallArguments arguments) {
        Object key = Values.requireKey(arguments.required(0, "key"));
        return map.containsKey(key) ? map.get(key) : arguments.value(1, "default", null);
    }
}
