package org.sparkqlora.data.jinja;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Access to parts of a value: fields, items, slices. */
final class Fields {
    private Fields() {}

    /** {@code target.name}: a method first, then an item. */
    static @Nullable Object attribute(@Nullable Object target, String name) {
        if (target instanceof Undefined undefined) {
            throw undefined.failure();
        }

        TemplateFunction method = method(target, name);
        return method == null ? field(target, name) : method;
    }

    /** {@code target[key]}: an item first, then a method. */
    static @Nullable Object item(@Nullable Object target, @Nullable Object key) {
        if (target instanceof Undefined undefined) {
            throw undefined.failure();
        }

        if (Values.number(key) instanceof Long index && !(target instanceof Map)) {
            return indexed(target, index);
        }

        if (target instanceof Map<?, ?> map && map.containsKey(key)) {
            return map.get(key);
        }

        return key instanceof String name ? attribute(target, name) : missing(target, key);
    }

    private static @Nullable TemplateFunction method(@Nullable Object target, String name) {
        if (target instanceof String text) {
            return TextMethods.find(text, name);
        }

        return target instanceof Map<?, ?> map ? MapMethods.find(map, name) : null;
    }

    private static @Nullable Object field(@Nullable Object target, String name) {
        if (target instanceof Map<?, ?> map && map.containsKey(name)) {
            return map.get(name);
        }

        if (target instanceof Namespace namespace && namespace.fields().containsKey(name)) {
            return namespace.fields().get(name);
        }

        return target instanceof LoopState loop ? loop.field(name) : missing(target, name);
    }

    private static Undefined missing(@Nullable Object target, @Nullable Object key) {
        return new Undefined("%s of a %s".formatted(PythonText.repr(key), Values.kind(target)));
    }

    private static @Nullable Object indexed(@Nullable Object target, long index) {
        if (!(target instanceof String) && !(target instanceof List)) {
            return missing(target, index);
        }

        List<@Nullable Object> items = Values.items(target);
        long place = index < 0 ? index + items.size() : index;
        return place < 0 || place >= items.size() ? missing(target, index) : items.get((int) place);
    }

    /** {@code target[from:to:step]}, as Python does it. */
    static Object slice(@Nullable Object target, @Nullable Object from, @Nullable Object to, @Nullable Object step) {
        if (!(target instanceof String) && !(target instanceof List)) {
            throw new EvaluationException("cannot slice a " + Values.kind(target));
        }

        List<@Nullable Object> items = Values.items(target);
        List<@Nullable Object> slice = slice(items, bound(from), bound(to), bound(step));
        return target instanceof String ? TextMethods.join("", slice) : slice;
    }

    private static List<@Nullable Object> slice(
            List<@Nullable Object> items, @Nullable Long from, @Nullable Long to, @Nullable Long stepOrNone) {
        long step = stepOrNone == null ? 1 : Math.max(-items.size() - 1L, Math.min(items.size() + 1L, stepOrNone));
        if (step == 0) {
            throw new EvaluationException("cannot slice in steps of 0");
        }

        // Python clamps both ends to the items when it goes forward, and to one before and the last when it goes back.
        long low = step > 0 ? 0 : -1;
        long high = step > 0 ? items.size() : items.size() - 1;
        long first = from == null ? (step > 0 ? low : high) : clamp(from, items.size(), low, high);
        long end = to == null ? (step > 0 ? high : low) : clamp(to, items.size(), low, high);
        List<@Nullable Object> slice = new ArrayList<>();
        for (long i = first; step > 0 ? i < end : i > end; i += step) {
            slice.add(items.get((int) i));
        }

        return slice;
    }

    private static long clamp(long bound, int size, long low, long high) {
        long place = bound < 0 ? bound + size : bound;
        return Math.max(low, Math.min(high, place));
    }

    private static @Nullable Long bound(@Nullable Object value) {
        if (value == null) {
            return null;
        }

        if (Values.number(value) instanceof Long bound) {
            return bound;
        }

        throw new EvaluationException("cannot slice at a " + Values.kind(value));
    }
}
