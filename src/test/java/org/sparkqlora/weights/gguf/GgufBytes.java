package org.sparkqlora.weights.gguf;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Writes GGUF files, also such as no program should write. */
final class GgufBytes {
    private static final int ALIGNMENT = 32;

    private final Map<String, byte[]> metadata = new LinkedHashMap<>();
    private final List<Entry> tensors = new ArrayList<>();
    private final ByteArrayOutputStream data = new ByteArrayOutputStream();

    private record Entry(String name, long[] shape, int type, long offset) {}

    GgufBytes put(String key, long value) {
        metadata.put(key, bytes(8).putInt(4).putInt((int) value).array());
        return this;
    }

    GgufBytes put(String key, float value) {
        metadata.put(key, bytes(8).putInt(6).putFloat(value).array());
        return this;
    }

    GgufBytes put(String key, boolean value) {
        metadata.put(key, bytes(5).putInt(7).put((byte) (value ? 1 : 0)).array());
        return this;
    }

    GgufBytes put(String key, String value) {
        byte[] text = text(value);
        metadata.put(key, bytes(4 + text.length).putInt(8).put(text).array());
        return this;
    }

    GgufBytes putTexts(String key, List<String> values) {
        ByteArrayOutputStream list = new ByteArrayOutputStream();
        list.writeBytes(bytes(16).putInt(9).putInt(8).putLong(values.size()).array());
        values.forEach(value -> list.writeBytes(text(value)));
        metadata.put(key, list.toByteArray());
        return this;
    }

    GgufBytes putNumbers(String key, List<Integer> values) {
        ByteBuffer list = bytes(16 + 4 * values.size()).putInt(9).putInt(5).putLong(values.size());
        values.forEach(list::putInt);
        metadata.put(key, list.array());
        return this;
    }

    GgufBytes putFloats(String key, float... values) {
        ByteBuffer list = bytes(16 + 4 * values.length).putInt(9).putInt(6).putLong(values.length);
        for (float value : values) {
            list.putFloat(value);
        }

        metadata.put(key, list.array());
        return this;
    }

    /** A value as its bytes, type first. */
    GgufBytes putRaw(String key, byte[] value) {
        metadata.put(key, value);
        return this;
    }

    /** A float32 tensor; the shape as Hugging Face has it. */
    GgufBytes tensor(String name, long[] shape, float[] values) {
        tensors.add(new Entry(name, shape, 0, data.size()));
        ByteBuffer content = bytes(values.length * 4);
        content.asFloatBuffer().put(values);
        data.writeBytes(content.array());
        data.writeBytes(new byte[(ALIGNMENT - data.size() % ALIGNMENT) % ALIGNMENT]);
        return this;
    }

    /** Announces a tensor without its bytes. */
    GgufBytes announce(String name, long[] shape, int type, long offset) {
        tensors.add(new Entry(name, shape, type, offset));
        return this;
    }

    byte[] array() {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        out.writeBytes(header(tensors.size(), metadata.size()));
        metadata.forEach((key, value) -> {
            out.writeBytes(text(key));
            out.writeBytes(value);
        });
        tensors.forEach(tensor -> out.writeBytes(entry(tensor)));
        out.writeBytes(new byte[(ALIGNMENT - out.size() % ALIGNMENT) % ALIGNMENT]);
        out.writeBytes(data.toByteArray());
        return out.toByteArray();
    }

    Path write(Path file) {
        try {
            return Files.write(file, array());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** The first 24 bytes of a file. */
    static byte[] header(long tensors, long values) {
        return bytes(24)
                .put("GGUF".getBytes(StandardCharsets.US_ASCII))
                .putInt(3)
                .putLong(tensors)
                .putLong(values)
                .array();
    }

    private static byte[] entry(Entry tensor) {
        byte[] name = text(tensor.name());
        ByteBuffer entry = bytes(name.length + 4 + 8 * tensor.shape().length + 12);
        entry.put(name).putInt(tensor.shape().length);
        for (int i = tensor.shape().length - 1; i >= 0; i--) {
            entry.putLong(tensor.shape()[i]);
        }

        return entry.putInt(tensor.type()).putLong(tensor.offset()).array();
    }

    private static byte[] text(String value) {
        byte[] utf8 = value.getBytes(StandardCharsets.UTF_8);
        return bytes(8 + utf8.length).putLong(utf8.length).put(utf8).array();
    }

    private static ByteBuffer bytes(int length) {
        return ByteBuffer.allocate(length).order(ByteOrder.LITTLE_ENDIAN);
    }
}
