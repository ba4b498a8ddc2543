package org.sparkqlora.data;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectReader;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.sparkqlora.input.InputLimits;

/** A record as JSON and its fields, with what is wrong with them in words. */
final class RecordJson {
    /** Of texts and documents the caller knows the size. */
    private static final StreamReadConstraints CONSTRAINTS = StreamReadConstraints.builder()
            .maxNestingDepth(InputLimits.DEFAULT.recordDepth())
            .maxStringLength(Integer.MAX_VALUE)
            .build();

    private static final ObjectReader READER = JsonMapper.builder(
                    JsonFactory.builder().streamReadConstraints(CONSTRAINTS).build())
            .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
            .build()
            .reader();

    private RecordJson() {}

    /** The object in {@code line}, its fields under our names. */
    static JsonNode parse(String line, Columns columns) {
        JsonNode record;
        try {
            record = READER.readTree(line);
        } catch (JsonProcessingException e) {
            throw new BadRecordException(
                    "Cannot read the record as JSON: %s%s".formatted(BrokenJson.what(e), column(e)), e);
        }

        if (!record.isObject()) {
            throw new BadRecordException("Cannot read the record: expected a JSON object, found " + describe(record));
        }

        return columns.names().isEmpty() ? record : renamed((ObjectNode) record, columns);
    }

    private static JsonNode renamed(ObjectNode record, Columns columns) {
        ObjectNode renamed = record.deepCopy();
        columns.names().values().forEach(renamed::remove);
        columns.names().forEach((field, name) -> {
            if (record.has(name)) {
                renamed.set(field, record.get(name));
            }
        });
        return renamed;
    }

    private static String column(JsonProcessingException failure) {
        return failure.getLocation() == null
                ? ""
                : " at column " + failure.getLocation().getColumnNr();
    }

    /** JSON that a field holds as a text: some data sets do, since its columns would differ from row to row. */
    static JsonNode parseText(String name, String text) {
        try {
            return READER.readTree(text);
        } catch (JsonProcessingException e) {
            throw new BadRecordException(
                    "Cannot read field %s as JSON: %s%s".formatted(name, BrokenJson.what(e), column(e)), e);
        }
    }

    static boolean has(JsonNode record, String name) {
        return record.hasNonNull(name);
    }

    static JsonNode field(JsonNode record, String name) {
        JsonNode value = record.get(name);
        if (value == null) {
            throw new BadRecordException(
                    "Cannot read the record: expected a field %s, found %s".formatted(name, fieldNames(record)));
        }

        return value;
    }

    static String text(JsonNode record, String name) {
        JsonNode value = field(record, name);
        if (value.isNull()) {
            throw new BadRecordException(
                    "Cannot read field %s: expected a text, found an empty value (null)".formatted(name));
        }

        if (!value.isTextual()) {
            throw new BadRecordException(
                    "Cannot read field %s: expected a text, found %s".formatted(name, describe(value)));
        }

        return value.textValue();
    }

    /** A text, empty when there is none. */
    static String optionalText(JsonNode record, String name) {
        return has(record, name) ? text(record, name) : "";
    }

    static int[] integers(JsonNode record, String name) {
        JsonNode value = field(record, name);
        boolean written = value.isTextual() && value.textValue().stripLeading().startsWith("[");
        JsonNode list = written ? parseText(name, value.textValue()) : value;
        if (!list.isArray()) {
            throw new BadRecordException(
                    "Cannot read field %s: expected a list of integers, found %s".formatted(name, describe(list)));
        }

        int[] values = new int[list.size()];
        for (int i = 0; i < values.length; i++) {
            values[i] = integer(list.get(i), String.format(Locale.ROOT, "%s[%d]", name, i));
        }

        return values;
    }

    private static int integer(JsonNode node, String place) {
        if (!node.isIntegralNumber() || !node.canConvertToInt()) {
            throw new BadRecordException(
                    "Cannot read %s: expected an integer of 32 bits, found %s".formatted(place, describe(node)));
        }

        return node.intValue();
    }

    static String fieldNames(JsonNode record) {
        List<String> names = new ArrayList<>();
        record.fieldNames().forEachRemaining(names::add);
        return names.isEmpty() ? "no field" : "the fields " + names;
    }

    /** Kind and beginning of a value, for messages. */
    static String describe(JsonNode node) {
        String text = node.toString();
        return switch (node.getNodeType()) {
            case MISSING -> "nothing";
            case NULL -> "null";
            case OBJECT -> "an object with " + fieldNames(node);
            case ARRAY -> String.format(Locale.ROOT, "a list of %d", node.size());
            case STRING, NUMBER, BOOLEAN, BINARY, POJO -> text.length() <= 40 ? text : text.substring(0, 40) + "...";
        };
    }
}
