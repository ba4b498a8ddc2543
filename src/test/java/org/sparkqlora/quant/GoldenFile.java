package org.sparkqlora.quant;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.Map;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import org.jspecify.annotations.NullMarked;

/** A safetensors file of the test resources, read in the simplest way that is right. */
@NullMarked
public final class GoldenFile {
    private static final Pattern ENTRY = Pattern.compile(
            "\"([^\"]+)\":\\s*\\{\"dtype\":\\s*\"(\\w+)\",\\s*\"shape\":\\s*\\[[^\\]]*\\],\\s*\"data_offsets\":\\s*\\[(\\d+),\\s*(\\d+)\\]");

    private final byte[] file;
    private final int dataStart;
    private final Map<String, MatchResult> entries = new HashMap<>();

    private GoldenFile(byte[] file) {
        this.file = file;
        int headerLength = (int) littleEndian(0, Long.BYTES).getLong();
        dataStart = Long.BYTES + headerLength;
        String header = new String(file, Long.BYTES, headerLength, StandardCharsets.UTF_8);
        ENTRY.matcher(header).results().forEach(entry -> entries.put(entry.group(1), entry));
    }

    /** The file {@code name} below {@code goldens/}. */
    public static GoldenFile open(String name) {
        return new GoldenFile(bytesOf(name));
    }

    /** The text of the file {@code name} below {@code goldens/}. */
    public static String text(String name) {
        return new String(bytesOf(name), StandardCharsets.UTF_8);
    }

    private static byte[] bytesOf(String name) {
        try (InputStream stream = GoldenFile.class.getResourceAsStream("/goldens/" + name)) {
            if (stream == null) {
                throw new IllegalArgumentException("Cannot find golden file " + name);
            }

            return stream.readAllBytes();
        } catch (IOException e) {
            throw new UncheckedIOException("Failed to read golden file " + name, e);
        }
    }

    public Iterable<String> names() {
        return entries.keySet();
    }

    public boolean has(String name) {
        return entries.containsKey(name);
    }

    public byte[] bytes(String name) {
        ByteBuffer buffer = buffer(name);
        byte[] bytes = new byte[buffer.remaining()];
        buffer.get(bytes);
        return bytes;
    }

    /** Values of a float32 or bfloat16 tensor. */
    public float[] floats(String name) {
        if (entry(name).group(2).equals("BF16")) {
            return widened(shorts(name));
        }

        float[] values = new float[buffer(name).remaining() / Float.BYTES];
        buffer(name).asFloatBuffer().get(values);
        return values;
    }

    /** The 16-bit patterns of a tensor. */
    public short[] shorts(String name) {
        short[] values = new short[buffer(name).remaining() / Short.BYTES];
        buffer(name).asShortBuffer().get(values);
        return values;
    }

    private static float[] widened(short[] bits) {
        float[] values = new float[bits.length];
        for (int i = 0; i < bits.length; i++) {
            values[i] = Bfloat16.widen(bits[i]);
        }

        return values;
    }

    private MatchResult entry(String name) {
        MatchResult entry = entries.get(name);
        if (entry == null) {
            throw new IllegalArgumentException("Cannot find tensor " + name + " in " + entries.keySet());
        }

        return entry;
    }

    private ByteBuffer buffer(String name) {
        int from = Integer.parseInt(entry(name).group(3));
        int to = Integer.parseInt(entry(name).group(4));
        return littleEndian(dataStart + from, to - from);
    }

    private ByteBuffer littleEndian(int from, int length) {
        return ByteBuffer.wrap(file, from, length).slice().order(ByteOrder.LITTLE_ENDIAN);
    }
}
