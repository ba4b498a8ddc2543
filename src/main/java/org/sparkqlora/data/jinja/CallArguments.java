package org.sparkqlora.data.jinja;

import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Values passed to a filter, a test or a function.
 *
 * @param budget what the call may use
 */
record CallArguments(List<@Nullable Object> positional, Map<String, @Nullable Object> named, Budget budget) {
    boolean has(int place, String name) {
        return place < positional.size() || named.containsKey(name);
    }

    /** The argument at {@code place} or called {@code name}, else {@code otherwise}. */
    @Nullable
    Object value(int place, String name, @Nullable Object otherwise) {
        if (place < positional.size()) {
            return positional.get(place);
        }

        return named.getOrDefault(name, otherwise);
    }

    @Nullable
    Object required(int place, String name) {
        if (!has(place, name)) {
            throw new EvaluationException("expected an argument '%s', found none".formatted(name));
        }

        return value(place, name, null);
    }

    String text(int place, String name, String otherwise) {
        Object value = value(place, name, otherwise);
        if (value instanceof String text) {
            return text;
        }

        throw new EvaluationException("expected a string as '%s', found a %s".formatted(name, Values.kind(value)));
    }

    String requiredText(int place, String name) {
        required(place, name);
        return text(place, name, "");
    }

    long integer(int place, String name, long otherwise) {
        Object value = value(place, name, otherwise);
        Number number = Values.number(value);
        if (number != null && !(number instanceof Double)) {
            return number.longValue();
        }

        throw new EvaluationException("expected an integer as '%s', found a %s".formatted(name, Values.kind(value)));
    }

    boolean isTrue(int place, String name, boolean otherwise) {
        return Values.isTrue(value(place, name, otherwise));
    }

    /** These arguments without the first {@code count} positional ones. */
    CallArguments after(int count) {
        return new CallArguments(
                positional.subList(Math.min(count, positional.size()), positional.size()), named, budget);
    }
}
