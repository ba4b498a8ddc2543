package org.sparkqlora.weights.gguf;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import org.jspecify.annotations.Nullable;
import org.sparkqlora.weights.safetensors.InvalidWeightsException;

/**
 * The metadata of a model's file.
 *
 * @param file name in messages
 * @param values by key: Long, Float, Double, Boolean, String, or a list of them
 */
record GgufMetadata(String file, Map<String, Object> values) {
    GgufMetadata {
        values = Collections.unmodifiableMap(new LinkedHashMap<>(values));
    }

    boolean has(String key) {
        return values.containsKey(key);
    }

    String text(String key) {
        return optionalText(key).orElseThrow(() -> wrong(key, "a text"));
    }

    Optional<String> optionalText(String key) {
        return has(key) ? Optional.of(of(String.class, key, "a text")) : Optional.empty();
    }

    /** A whole number of at least 1. */
    int count(String key) {
        OptionalInt value = optionalInt(key);
        if (value.isEmpty() || value.getAsInt() < 1) {
            throw wrong(key, "a whole number of at least 1");
        }

        return value.getAsInt();
    }

    OptionalInt optionalInt(String key) {
        if (!has(key)) {
            return OptionalInt.empty();
        }

        long value = of(Long.class, key, "a whole number");
        if (value < 0 || value > Integer.MAX_VALUE) {
            throw wrong(key, "a whole number below 2^31");
        }

        return OptionalInt.of((int) value);
    }

    /** The flag under {@code key}; {@code absent} without the key. */
    boolean flag(String key, boolean absent) {
        return has(key) ? of(Boolean.class, key, "true or false") : absent;
    }

    /** A number as it was written before it was stored in float32: 1e-5, not 9.999999747378752e-06. */
    double number(String key, double absent) {
        Object value = values.get(key);
        if (value == null) {
            return absent;
        }

        if (value instanceof Float || value instanceof Double) {
            return Double.parseDouble(value.toString());
        }

        return of(Long.class, key, "a number");
    }

    List<String> texts(String key) {
        return list(String.class, key, "a list of texts");
    }

    List<Long> numbers(String key) {
        return list(Long.class, key, "a list of whole numbers");
    }

    List<Boolean> flags(String key) {
        return list(Boolean.class, key, "a list of true and false");
    }

    boolean hasList(String key) {
        return values.get(key) instanceof List<?>;
    }

    List<Float> floats(String key) {
        return list(Float.class, key, "a list of float32 numbers");
    }

    InvalidWeightsException wrong(String key, String expected) {
        return new InvalidWeightsException(
                "Cannot read %s: expected %s for %s, found %s".formatted(file, expected, key, brief(values.get(key))));
    }

    private <T> List<T> list(Class<T> type, String key, String expected) {
        if (!(values.get(key) instanceof List<?> list) || !list.stream().allMatch(type::isInstance)) {
            throw wrong(key, expected);
        }

        return list.stream().<T>map(type::cast).toList();
    }

    private <T> T of(Class<T> type, String key, String expected) {
        Object value = values.get(key);
        if (!type.isInstance(value)) {
            throw wrong(key, expected);
        }

        return type.cast(value);
    }

    private static String brief(@Nullable Object value) {
        if (value == null) {
            return "nothing";
        }

        return value instanceof List<?> list
                ? String.format(Locale.ROOT, "a list of %d", list.size())
                : value.toString();
    }
}
