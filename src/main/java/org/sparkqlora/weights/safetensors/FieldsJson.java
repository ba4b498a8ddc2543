package org.sparkqlora.weights.safetensors;

import com.fasterxml.jackson.core.JsonLocation;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;
import org.sparkqlora.input.BoundedText;
import org.sparkqlora.input.InputLimits;

/**
 * A JSON object whose fields are read with their type checked; messages name the document and the field.
 *
 * <p>A field that is absent and one that is {@code null} are the same, as in Hugging Face files, except where a method's name says
 * otherwise.
 *
 * @param document its name in messages
 * @param node the whole object
 */
public record FieldsJson(String document, ObjectNode node) {
    private static final ObjectMapper STRICT = new ObjectMapper()
            .enable(JsonParser.Feature.STRICT_DUPLICATE_DETECTION)
            .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS);

    /** Reads {@code text}, which must be one JSON object without duplicate keys; {@code document} is its name in messages. */
    public static FieldsJson parse(String document, String text) {
        try {
            JsonNode node = STRICT.readTree(text);
            if (node instanceof ObjectNode object) {
                return new FieldsJson(document, object);
            }

            throw new InvalidWeightsException(
                    "Cannot read %s: expected a JSON object, found %s".formatted(document, brief(node)));
        } catch (JsonProcessingException e) {
            throw new InvalidWeightsException(
                    "Cannot read %s: expected a JSON object, found text that is not JSON (%s%s)"
                            .formatted(document, e.getOriginalMessage(), place(e.getLocation())),
                    e);
        }
    }

    /** Reads a file of one JSON object, which is no larger than any that a model has. */
    public static FieldsJson read(Path file) {
        try {
            return parse(file.toString(), BoundedText.read(file, InputLimits.DEFAULT.configBytes()));
        } catch (IOException e) {
            throw new UncheckedIOException("Failed to read " + file, e);
        }
    }

    /** Jackson tells none where a limit of its own was met, such as that of nesting. */
    private static String place(@Nullable JsonLocation location) {
        return location == null ? "" : " at character " + location.getCharOffset();
    }

    /** The object under {@code key}, or that under {@code other} where the former is absent or empty. */
    public FieldsJson objectOr(String key, String other) {
        FieldsJson first = object(key);
        return first.isEmpty() ? object(other) : first;
    }

    public boolean isEmpty() {
        return node.isEmpty();
    }

    public boolean has(String key) {
        return node.hasNonNull(key);
    }

    public int integer(String key) {
        return present(key, "a whole number", FieldsJson::isInt).intValue();
    }

    public int integer(String key, int absent) {
        return has(key) ? integer(key) : absent;
    }

    /** A whole number of at least 1. */
    public int count(String key) {
        int value = integer(key);
        if (value < 1) {
            throw wrong(key, "a number of at least 1", node.get(key));
        }

        return value;
    }

    /** A count that something is made for each of: a file of a few bytes must not ask for millions. */
    public int countUpTo(int most, String key) {
        int value = count(key);
        if (value > most) {
            throw wrong(key, "a number of at most " + most, node.get(key));
        }

        return value;
    }

    public int count(String key, int absent) {
        return has(key) ? count(key) : absent;
    }

    /** The whole number, or list of whole numbers, under {@code key}; empty without the key. */
    public List<Integer> integers(String key) {
        JsonNode value = node.path(key);
        if (!value.isArray()) {
            return has(key) ? List.of(integer(key)) : List.of();
        }

        List<Integer> integers = new ArrayList<>();
        for (JsonNode each : value) {
            if (!isInt(each)) {
                throw wrong(key, "whole numbers", value);
            }

            integers.add(each.intValue());
        }

        return integers;
    }

    /** The list of texts under {@code key}; empty without the key. */
    public List<String> texts(String key) {
        List<String> texts = new ArrayList<>();
        for (JsonNode each : has(key) ? present(key, "a list of texts", JsonNode::isArray) : node.arrayNode()) {
            if (!each.isTextual()) {
                throw wrong(key, "a list of texts", node.path(key));
            }

            texts.add(each.textValue());
        }

        return texts;
    }

    public double number(String key) {
        return present(key, "a number", JsonNode::isNumber).doubleValue();
    }

    public double number(String key, double absent) {
        return has(key) ? number(key) : absent;
    }

    /** The number under {@code key}; {@code absent} without the key, and nothing where it is {@code null}. */
    public OptionalDouble numberOrNull(String key, double absent) {
        return node.has(key) ? numberOrNull(key) : OptionalDouble.of(absent);
    }

    /** The number under {@code key}, or nothing. */
    public OptionalDouble numberOrNull(String key) {
        return has(key) ? OptionalDouble.of(number(key)) : OptionalDouble.empty();
    }

    /** The count under {@code key}; {@code absent} without the key, and nothing where it is {@code null}. */
    public OptionalInt countOrNull(String key, int absent) {
        return node.has(key) ? countOrNull(key) : OptionalInt.of(absent);
    }

    /** The count under {@code key}, or nothing. */
    public OptionalInt countOrNull(String key) {
        return has(key) ? OptionalInt.of(count(key)) : OptionalInt.empty();
    }

    public boolean flag(String key, boolean absent) {
        return has(key) ? present(key, "true or false", JsonNode::isBoolean).booleanValue() : absent;
    }

    public String text(String key) {
        return present(key, "a text", JsonNode::isTextual).textValue();
    }

    public String text(String key, String absent) {
        return has(key) ? text(key) : absent;
    }

    /** The object under {@code key}, or an empty one. */
    public FieldsJson object(String key) {
        if (!has(key)) {
            return new FieldsJson(document, node.objectNode());
        }

        return new FieldsJson(document, (ObjectNode) present(key, "an object", JsonNode::isObject));
    }

    /** These fields but for {@code key}. */
    public FieldsJson without(String key) {
        ObjectNode rest = node.deepCopy();
        rest.remove(key);
        return new FieldsJson(document, rest);
    }

    /** The error that {@code key} should have held {@code expected}. */
    public InvalidWeightsException wrong(String key, String expected, @Nullable JsonNode found) {
        return new InvalidWeightsException(
                "Cannot read %s: expected %s for %s, found %s".formatted(document, expected, key, brief(found)));
    }

    /** The error that {@code key} holds a value that cannot be computed with. */
    public InvalidWeightsException unsupported(String key, String found, String expected) {
        return new InvalidWeightsException(
                "Unsupported %s '%s' in %s: expected %s".formatted(key, found, document, expected));
    }

    private JsonNode present(String key, String expected, Predicate<JsonNode> valid) {
        JsonNode value = node.get(key);
        if (value == null || value.isNull() || !valid.test(value)) {
            throw wrong(key, expected, value);
        }

        return value;
    }

    private static boolean isInt(JsonNode value) {
        return value.isIntegralNumber() && value.canConvertToInt();
    }

    private static String brief(@Nullable JsonNode value) {
        if (value == null || value.isMissingNode()) {
            return "nothing";
        }

        String text = value.toString();
        return text.length() <= 80 ? text : text.substring(0, 80) + "...";
    }
}
