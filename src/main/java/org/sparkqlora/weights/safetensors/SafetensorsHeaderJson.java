package org.sparkqlora.weights.safetensors;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.Iterator;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.sparkqlora.weights.safetensors.SafetensorsHeader.Slot;

/** Reads and writes the header of a safetensors file, and checks it against the bytes that follow it. */
record SafetensorsHeaderJson(String file, long dataStart) {
    private static final String METADATA = "__metadata__";
    private static final String TYPE = "dtype";
    private static final String SHAPE = "shape";
    private static final String OFFSETS = "data_offsets";
    private static final ObjectMapper MAPPER = new ObjectMapper();

    /**
     * Reads the header of {@code file}.
     *
     * @param text the header
     * @param dataStart place of the first byte after the header
     * @param fileSize length of the file
     */
    static SafetensorsHeader read(String file, String text, long dataStart, long fileSize) {
        return new SafetensorsHeaderJson(file, dataStart).header(text, fileSize);
    }

    /** Refuses a file that does not end where its last tensor does. Element types need not be known. */
    static void requireWhole(String file, String text, long dataStart, long fileSize) {
        ObjectNode root =
                FieldsJson.parse("the header of " + file + " at byte 8", text).node();
        long end = dataStart;
        for (JsonNode tensor : root) {
            end = Math.max(end, dataStart + tensor.path(OFFSETS).path(1).asLong());
        }

        requireEnd(file, end, fileSize);
    }

    private static void requireEnd(String file, long end, long fileSize) {
        if (end != fileSize) {
            throw new InvalidWeightsException("Cannot read %s: expected the file to end at byte %d, found %d bytes%s"
                    .formatted(file, end, fileSize, fileSize < end ? ". Was the copy or download cut off?" : ""));
        }
    }

    /** The header's text, without padding. Tensors are listed as they lie. */
    static byte[] write(SafetensorsHeader header) {
        ObjectNode root = MAPPER.createObjectNode();
        if (!header.metadata().isEmpty()) {
            ObjectNode metadata = root.putObject(METADATA);
            header.metadata().entrySet().stream()
                    .sorted(Map.Entry.comparingByKey())
                    .forEach(entry -> metadata.put(entry.getKey(), entry.getValue()));
        }

        for (Slot slot : header.slots()) {
            ObjectNode node = root.putObject(slot.spec().name());
            node.put(TYPE, slot.spec().type().name());
            ArrayNode shape = node.putArray(SHAPE);
            for (long dimension : slot.spec().shape()) {
                shape.add(dimension);
            }

            node.putArray(OFFSETS).add(slot.begin()).add(slot.end());
        }

        return root.toString().getBytes(StandardCharsets.UTF_8);
    }

    private SafetensorsHeader header(String text, long fileSize) {
        ObjectNode root =
                FieldsJson.parse("the header of " + file + " at byte 8", text).node();
        Map<String, String> metadata = metadata(root.remove(METADATA));
        List<Slot> slots = new ArrayList<>();
        for (Iterator<Map.Entry<String, JsonNode>> it = root.fields(); it.hasNext(); ) {
            Map.Entry<String, JsonNode> entry = it.next();
            slots.add(slot(entry.getKey(), entry.getValue()));
        }

        slots.sort(Comparator.comparingLong(Slot::begin).thenComparingLong(Slot::end));
        requireContiguous(slots, fileSize);
        return new SafetensorsHeader(metadata, slots);
    }

    private Map<String, String> metadata(JsonNode node) {
        Map<String, String> metadata = new HashMap<>();
        if (node == null || node.isNull()) {
            return metadata;
        }

        node.fields()
                .forEachRemaining(
                        entry -> metadata.put(entry.getKey(), entry.getValue().asText()));
        return metadata;
    }

    private Slot slot(String name, JsonNode node) {
        TensorSpec spec = new TensorSpec(name, type(name, node.path(TYPE)), shape(name, node.path(SHAPE)));
        long[] offsets = numbers(name, OFFSETS, node.path(OFFSETS));
        if (offsets.length != 2 || offsets[0] > offsets[1]) {
            throw damaged(
                    name,
                    "two ascending numbers for data_offsets",
                    node.path(OFFSETS).toString());
        }

        if (offsets[1] - offsets[0] != byteSize(spec)) {
            throw damaged(
                    name,
                    String.format(
                            Locale.ROOT,
                            "%d bytes for %s%s at byte %d",
                            byteSize(spec),
                            spec.type(),
                            node.path(SHAPE),
                            dataStart + offsets[0]),
                    String.format(Locale.ROOT, "data_offsets of %d bytes", offsets[1] - offsets[0]));
        }

        return new Slot(spec, offsets[0], offsets[1]);
    }

    private StoredType type(String name, JsonNode node) {
        try {
            return StoredType.valueOf(node.asText());
        } catch (IllegalArgumentException e) {
            throw damaged(name, "a known dtype", node.isMissingNode() ? "none" : node.toString());
        }
    }

    private long[] shape(String name, JsonNode node) {
        return numbers(name, SHAPE, node);
    }

    private long[] numbers(String name, String key, JsonNode node) {
        if (!node.isArray()) {
            throw damaged(name, "a list of numbers for " + key, node.isMissingNode() ? "none" : node.toString());
        }

        long[] numbers = new long[node.size()];
        for (int i = 0; i < numbers.length; i++) {
            if (!node.get(i).canConvertToLong()
                    || !node.get(i).isIntegralNumber()
                    || node.get(i).longValue() < 0) {
                throw damaged(name, "whole numbers of at least 0 for " + key, node.toString());
            }

            numbers[i] = node.get(i).longValue();
        }

        return numbers;
    }

    private long byteSize(TensorSpec spec) {
        try {
            return spec.byteSize();
        } catch (ArithmeticException e) {
            throw damaged(spec.name(), "a shape whose bytes can be counted", spec.toString());
        }
    }

    private void requireContiguous(List<Slot> slots, long fileSize) {
        long next = 0;
        for (Slot slot : slots) {
            if (slot.begin() != next) {
                throw damaged(
                        slot.spec().name(),
                        String.format(
                                Locale.ROOT,
                                "it to begin at byte %d, where the tensor before it ends",
                                dataStart + next),
                        String.format(Locale.ROOT, "byte %d", dataStart + slot.begin()));
            }

            next = slot.end();
            if (next > fileSize - dataStart) {
                throw damaged(
                        slot.spec().name(),
                        String.format(Locale.ROOT, "bytes %d to %d", dataStart + slot.begin(), dataStart + slot.end()),
                        String.format(
                                Locale.ROOT,
                                "the end of the file at byte %d. Was the copy or download cut off?",
                                fileSize));
            }
        }

        requireEnd(file, dataStart + next, fileSize);
    }

    private InvalidWeightsException damaged(String tensor, String expected, String found) {
        return new InvalidWeightsException(
                "Cannot read tensor %s of %s: expected %s, found %s".formatted(tensor, file, expected, found));
    }
}
