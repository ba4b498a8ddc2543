package org.sparkqlora.weights.gguf;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * The metadata of a file to write, in the order in which keys were first put. The types of numbers are those that llama.cpp's
 * converter gives them: unsigned 32 bits for sizes and ids, float32, signed 32 bits in lists.
 */
final class GgufEntries {
    private static final int UINT32 = 4;
    private static final int INT32 = 5;
    private static final int FLOAT32 = 6;
    private static final int BOOL = 7;
    private static final int TEXT = 8;
    private static final int LIST = 9;

    private final Map<String, Entry> entries = new LinkedHashMap<>();

    /** An empty text is no entry. */
    void text(String key, String value) {
        if (!value.isEmpty()) {
            entries.put(key, new Entry(TEXT, value));
        }
    }

    /** A whole number of 0 to 2^32 - 1. */
    void count(String key, long value) {
        entries.put(key, new Entry(UINT32, value));
    }

    void integer(String key, int value) {
        entries.put(key, new Entry(INT32, (long) value));
    }

    void number(String key, double value) {
        entries.put(key, new Entry(FLOAT32, (float) value));
    }

    void flag(String key, boolean value) {
        entries.put(key, new Entry(BOOL, value));
    }

    void texts(String key, List<String> values) {
        list(key, TEXT, values);
    }

    void integers(String key, List<Integer> values) {
        list(key, INT32, values.stream().map(Integer::longValue).toList());
    }

    void numbers(String key, List<Float> values) {
        list(key, FLOAT32, values);
    }

    void flags(String key, List<Boolean> values) {
        list(key, BOOL, values);
    }

    int size() {
        return entries.size();
    }

    /** These entries with {@code keys} behind all others. */
    GgufEntries withLast(List<String> keys) {
        GgufEntries moved = new GgufEntries();
        moved.entries.putAll(entries);
        for (String key : keys) {
            Entry entry = moved.entries.remove(key);
            if (entry != null) {
                moved.entries.put(key, entry);
            }
        }

        return moved;
    }

    byte[] bytes() {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        GgufOutput out = new GgufOutput(bytes);
        try {
            for (Map.Entry<String, Entry> entry : entries.entrySet()) {
                out.text(entry.getKey());
                entry.getValue().write(out);
            }
        } catch (IOException e) {
            throw new UncheckedIOException("Failed to write metadata to memory", e);
        }

        return bytes.toByteArray();
    }

    /** An empty list is no entry. */
    private void list(String key, int elementType, List<?> values) {
        if (!values.isEmpty()) {
            entries.put(key, new Entry(LIST, new Elements(elementType, List.copyOf(values))));
        }
    }

    /** @param type as the format numbers it */
    private record Entry(int type, Object stored) {
        void write(GgufOutput out) throws IOException {
            out.int32(type);
            if (!(stored instanceof Elements list)) {
                write(out, type, stored);
                return;
            }

            out.int32(list.type());
            out.int64(list.values().size());
            for (Object value : list.values()) {
                write(out, list.type(), value);
            }
        }

        private static void write(GgufOutput out, int type, Object value) throws IOException {
            switch (type) {
                case UINT32, INT32 -> out.int32((int) (long) value);
                case FLOAT32 -> out.float32((float) value);
                case BOOL -> out.int8((boolean) value ? 1 : 0);
                default -> out.text((String) value);
            }
        }
    }

    private record Elements(int type, List<?> values) {}
}
