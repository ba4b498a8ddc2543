package org.sparkqlora.data.jinja;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Methods of Python's dictionaries that change nothing. */
final class MapMethods {
    private MapMethods() {}

    /** The method called {@code name} of {@code map}, null when there is none. */
    static @Nullable TemplateFunction find(Map<?, ?> map, String name) {
        return switch (name) {
            case "items" -> (positional, named) -> items(map);
            case "keys" -> (positional, named) -> new ArrayList<@Nullable Object>(map.keySet());
            case "values" -> (positional, named) -> new ArrayList<@Nullable Object>(map.values());
            case "get" -> (positional, named) -> get(map, new CallArguments(positional, named));
            default -> null;
        };
    }

    static List<@Nullable Object> items(Map<?, ?> map) {
        List<@Nullable Object> items = new ArrayList<>();
        map.forEach((key, value) -> items.add(Arrays.asList(key, value)));
        return items;
    }

    private static @Nullable Object get(Map<?, ?> map, CallArguments arguments) {
        Object key = arguments.required(0, "key");
        return map.containsKey(key) ? map.get(key) : arguments.value(1, "default", null);
    }
}
