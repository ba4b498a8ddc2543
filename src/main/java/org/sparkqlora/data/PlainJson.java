package org.sparkqlora.data;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** A JSON value as plain Java: Map, List, String, Boolean, Long or BigInteger, Double, null. */
final class PlainJson {
    private PlainJson() {}

    /** An object of one field. */
    static String object(String name, String text) {
        return JsonNodeFactory.instance.objectNode().put(name, text).toString();
    }

    static @Nullable Object read(JsonNode node) {
        return switch (node.getNodeType()) {
            case OBJECT -> readObject(node);
            case ARRAY -> readArray(node);
            case STRING -> node.textValue();
            case BOOLEAN -> node.booleanValue();
            case NUMBER -> readNumber(node);
            case NULL, MISSING -> null;
            case BINARY, POJO -> throw new IllegalStateException("Unsupported JSON node " + node.getNodeType());
        };
    }

    static Map<String, @Nullable Object> readObject(JsonNode node) {
        Map<String, @Nullable Object> fields = new LinkedHashMap<>();
        node.fields().forEachRemaining(field -> fields.put(field.getKey(), read(field.getValue())));
        return fields;
    }

    private static List<@Nullable Object> readArray(JsonNode node) {
        List<@Nullable Object> items = new ArrayList<>(node.size());
        node.forEach(item -> items.add(read(item)));
        return items;
    }

    private static Object readNumber(JsonNode node) {
        if (!node.isIntegralNumber()) {
            return node.doubleValue();
        }

        return node.canConvertToLong() ? (Object) node.longValue() : node.bigIntegerValue();
    }
}
