package org.sparkqlora.data.jinja;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Access to parts of a value: fields, items, slices. */
final class Fields {
    private Fields() {}

    /** {@code target.name}: a method first, then an item. */
    static @Nullable Object attribute(@Nullable Object target, String name, Budget budget) {
        if (target instanceof Undefined undefined) {
            throw undefined.failure();
        }

        TemplateFunction method = method(target, name, budget);
        return method == null ? field(target, name) : method;
    }

    /** {@code target[key]}: an item first, then a method. */
    static @Nullable Object item(@Nullable Object target, @Nullable Object key, Budget budget) {
        if (target instanceof Undefined undefined) {
            throw undefined.failure();
        }

        if (Values.number(key) instanceof Long index && !(target instanceof Map)) {
            budget.look(target instanceof String ? target : null);
            return indexed(target, index);
        }

        if (target instanceof Map<?, ?> map && Values.isKey(key) && map.containsKey(key)) {
            return map.get(key);
        }

        return key instanceof String name ? attribute(target, name, budget) : missing(target, key);
    }

    private static @Nullable TemplateFunction method(@Nullable Object target, String name, Budget budget) {
        if (target instanceof String text) {
            return TextMethods.find(text, name, budget);
        }

        return target instanceof Map<?, ?> map ? MapMethods.find(map, name, budget) : null;
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
        return new Undefined(PythonText.brief(key) + " of a " + Values.kind(target));
    }

    private static @Nullable Object indexed(@Nullable Object target, long index) {
        if (!(target instanceof String) && !(target instanceof List)) {
            return missing(target, index);
        }

        long size = Values.length(target);
        long place = index < 0 ? index + size : index;
        if (place < 0 || place >= size) {
            return missing(target, index);
        }

        return target instanceof String text ? character(text, (int) place) : ((List<?>) target).get((int) place);
    }

    private static String character(String text, int place) {
        return Character.toString(text.codePointAt(text.offsetByCodePoints(0, place)));
    }

    /** {@code target[from:to:step]}, as Python does it. */
    static Object slice(
            @Nullable Object target, @Nullable Object from, @Nullable Object to, @Nullable Object step, Budget budget) {
        if (!(target instanceof String) && !(target instanceof List)) {
            throw new EvaluationException("cannot slice a " + Values.kind(target));
        }

        Places places = Places.of(Values.length(target), bound(from), bound(to), bound(step));
        return target instanceof String text ? slice(text, places, budget) : slice((List<?>) target, places, budget);
    }

    private static String slice(String text, Places places, Budget budget) {
        if (places.step() != 1) {
            return TextMethods.join("", slice(Values.items(text, budget), places, budget), budget);
        }

        int from = text.offsetByCodePoints(0, (int) places.first());
        int count = (int) Math.max(0, places.end() - places.first());
        return budget.made(text.substring(from, text.offsetByCodePoints(from, count)));
    }

    private static List<@Nullable Object> slice(List<?> items, Places places, Budget budget) {
        List<@Nullable Object> slice = new ArrayList<>();
        for (long i = places.first(); places.step() > 0 ? i < places.end() : i > places.end(); i += places.step()) {
            budget.items(1);
            slice.add(items.get((int) i));
        }

        return slice;
    }

    /** The places {@code first}, {@code first + step} and so on before {@code end}. */
    private record Places(long first, long end, long step) {
        static Places of(long size, @Nullable Long from, @Nullable Long to, @Nullable Long stepOrNone) {
            long step = stepOrNone == null ? 1 : Math.max(-size - 1, Math.min(size + 1, stepOrNone));
            if (step == 0) {
                throw new EvaluationException("cannot slice in steps of 0");
            }

            // Python clamps both ends to the items when it goes forward, and to one before and the last when it goes
            // back.
            long low = step > 0 ? 0 : -1;
            long high = step > 0 ? size : size - 1;
            long first = from == null ? (step > 0 ? low : high) : clamp(from, size, low, high);
            long end = to == null ? (step > 0 ? high : low) : clamp(to, size, low, high);
            return new Places(first, end, step);
        }
    }

    private static long clamp(long bound, long size, long low, long high) {
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
