package org.sparkqlora.weights;

import java.io.EOFException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Collections;
import java.util.Map;
import java.util.Set;

/**
 * A safetensors file whose header was checked against the file's length. Holds no open file: each tensor is mapped when it
 * is asked for, so a file of any size can be read, and an interrupted thread closes nothing that others use.
 */
public final class SafetensorsFile {
    static final int LENGTH_BYTES = 8;

    /** The limit of the safetensors library. */
    private static final long MAX_HEADER_BYTES = 100_000_000;

    private final Path path;
    private final long dataStart;
    private final Map<String, String> metadata;
    private final Map<String, SafetensorsHeader.Slot> slots;

    private SafetensorsFile(Path path, long dataStart, SafetensorsHeader header) {
        this.path = path;
        this.dataStart = dataStart;
        this.metadata = header.metadata();
        this.slots = Collections.unmodifiableMap(header.byName());
    }

    /** Reads and checks the header of {@code path}. */
    public static SafetensorsFile open(Path path) {
        try (FileChannel channel = FileChannel.open(path, StandardOpenOption.READ)) {
            long size = channel.size();
            long headerBytes = headerLength(path, channel, size);
            String text = StandardCharsets.UTF_8
                    .decode(readFully(channel, LENGTH_BYTES, Math.toIntExact(headerBytes)))
                    .toString();
            long dataStart = LENGTH_BYTES + headerBytes;
            return new SafetensorsFile(
                    path, dataStart, SafetensorsHeaderJson.read(path.toString(), text, dataStart, size));
        } catch (NoSuchFileException e) {
            throw new InvalidWeightsException("Cannot read %s: the file does not exist".formatted(path), e);
        } catch (IOException e) {
            throw new UncheckedIOException("Failed to read " + path, e);
        }
    }

    public Path path() {
        return path;
    }

    /** The texts under {@code __metadata__}. */
    public Map<String, String> metadata() {
        return metadata;
    }

    /** Names of all tensors, in the order of their bytes. */
    public Set<String> names() {
        return slots.keySet();
    }

    public boolean has(String name) {
        return slots.containsKey(name);
    }

    public StoredTensor tensor(String name) {
        SafetensorsHeader.Slot slot = slots.get(name);
        if (slot == null) {
            throw new InvalidWeightsException("Cannot read tensor %s of %s: the file has no such tensor among its %d"
                    .formatted(name, path, slots.size()));
        }

        return new StoredTensor(path, slot.spec(), dataStart + slot.begin());
    }

    private static long headerLength(Path path, FileChannel channel, long size) throws IOException {
        if (size < LENGTH_BYTES) {
            throw new InvalidWeightsException(
                    "Cannot read %s: expected a header length in the first 8 bytes, found a file of %d bytes"
                            .formatted(path, size));
        }

        long length = readFully(channel, 0, LENGTH_BYTES).getLong();
        long limit = Math.min(MAX_HEADER_BYTES, size - LENGTH_BYTES);
        if (length < 0 || length > limit) {
            throw new InvalidWeightsException(
                    "Cannot read %s: expected a header of at most %d bytes, found a length of %s at byte 0. Is it a safetensors file?"
                            .formatted(path, limit, Long.toUnsignedString(length)));
        }

        return length;
    }

    private static ByteBuffer readFully(FileChannel channel, long from, int count) throws IOException {
        ByteBuffer buffer = ByteBuffer.allocate(count).order(ByteOrder.LITTLE_ENDIAN);
        while (buffer.hasRemaining()) {
            if (channel.read(buffer, from + buffer.position()) < 0) {
                throw new EOFException("the file ends at byte " + (from + buffer.position()));
            }
        }

        return buffer.flip();
    }
}
