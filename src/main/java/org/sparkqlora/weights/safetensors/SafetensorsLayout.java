package org.sparkqlora.weights.safetensors;

import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.function.UnaryOperator;
import org.sparkqlora.weights.safetensors.SafetensorsHeader.Slot;

/**
 * The layout of a safetensors file, as the library orders its tensors: widest type first, then by name, which keeps each
 * aligned. With the prefix first and the tensors after it in their order, the file is a plain stream.
 */
public final class SafetensorsLayout {
    static final int LENGTH_BYTES = 8;
    private static final int ALIGNMENT = 8;

    /** The limit of the safetensors library. */
    private static final long MAX_HEADER_BYTES = 100_000_000;

    private final SafetensorsHeader header;
    private final int headerBytes;

    private SafetensorsLayout(SafetensorsHeader header, int headerBytes) {
        this.header = header;
        this.headerBytes = headerBytes;
    }

    /** The layout of a file of {@code tensors}. */
    public static SafetensorsLayout of(Map<String, String> metadata, List<TensorSpec> tensors) {
        return ofSlots(metadata, layOut(0, sorted(tensors)));
    }

    static SafetensorsLayout ofSlots(Map<String, String> metadata, List<Slot> slots) {
        SafetensorsHeader header = new SafetensorsHeader(metadata, slots);
        int length = SafetensorsHeaderJson.write(header).length;
        return new SafetensorsLayout(header, (length + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT);
    }

    /**
     * Reads the prefix of a file and leaves {@code in} at the first tensor.
     *
     * @param file name in messages
     * @param fileSize length that the layout must fit
     */
    public static SafetensorsLayout read(String file, InputStream in, long fileSize) throws IOException {
        byte[] header = header(file, in, fileSize);
        String text = new String(header, StandardCharsets.UTF_8);
        return new SafetensorsLayout(
                SafetensorsHeaderJson.read(file, text, LENGTH_BYTES + header.length, fileSize), header.length);
    }

    /** Refuses a file that does not end where its last tensor does. Element types need not be known; parameters as of {@link #read}. */
    public static void requireWhole(String file, InputStream in, long fileSize) throws IOException {
        byte[] header = header(file, in, fileSize);
        SafetensorsHeaderJson.requireWhole(
                file, new String(header, StandardCharsets.UTF_8), LENGTH_BYTES + header.length, fileSize);
    }

    private static byte[] header(String file, InputStream in, long fileSize) throws IOException {
        byte[] lengthBytes = in.readNBytes(LENGTH_BYTES);
        if (lengthBytes.length < LENGTH_BYTES) {
            throw new InvalidWeightsException(
                    "Cannot read %s: expected a header length in the first 8 bytes, found a file of %d bytes"
                            .formatted(file, lengthBytes.length));
        }

        long length =
                ByteBuffer.wrap(lengthBytes).order(ByteOrder.LITTLE_ENDIAN).getLong();
        long limit = Math.min(MAX_HEADER_BYTES, fileSize - LENGTH_BYTES);
        if (length < 0 || length > limit) {
            throw new InvalidWeightsException(
                    "Cannot read %s: expected a header of at most %d bytes, found a length of %s at byte 0. Is it a safetensors file?"
                            .formatted(file, limit, Long.toUnsignedString(length)));
        }

        return in.readNBytes((int) length);
    }

    /** Bytes before the tensors, of a file that begins with {@code start}; one that is none is left to {@link #read}. */
    static int prefixBytes(byte[] start, long fileSize) {
        if (start.length < LENGTH_BYTES) {
            return start.length;
        }

        long length = ByteBuffer.wrap(start).order(ByteOrder.LITTLE_ENDIAN).getLong();
        boolean fits = length >= 0 && length <= Math.min(MAX_HEADER_BYTES, fileSize - LENGTH_BYTES);
        return LENGTH_BYTES + (fits ? (int) length : 0);
    }

    /** The same tensors under the names that {@code naming} gives them. */
    public SafetensorsLayout renamed(UnaryOperator<String> naming) {
        List<Slot> slots = header.slots().stream()
                .map(slot -> new Slot(
                        new TensorSpec(
                                naming.apply(slot.spec().name()),
                                slot.spec().type(),
                                slot.spec().shape()),
                        slot.begin(),
                        slot.end()))
                .toList();
        return new SafetensorsLayout(new SafetensorsHeader(header.metadata(), slots), headerBytes);
    }

    /** The texts under {@code __metadata__}. */
    public Map<String, String> metadata() {
        return header.metadata();
    }

    /** The tensors, in the order of their bytes. */
    public List<TensorSpec> tensors() {
        return header.slots().stream().map(Slot::spec).toList();
    }

    /** The bytes before the tensors: the header's length and the header. */
    public byte[] prefix() {
        return prefix(header);
    }

    /** Bytes of the whole file. */
    public long fileSize() {
        return dataStart() + end(header.slots());
    }

    SafetensorsHeader header() {
        return header;
    }

    /** Place of the first tensor. */
    long dataStart() {
        return LENGTH_BYTES + (long) headerBytes;
    }

    /** {@code shorter} in the room of this layout's prefix, filled up with spaces. */
    byte[] prefix(SafetensorsHeader shorter) {
        ByteBuffer prefix = ByteBuffer.allocate(LENGTH_BYTES + headerBytes).order(ByteOrder.LITTLE_ENDIAN);
        prefix.putLong(headerBytes).put(SafetensorsHeaderJson.write(shorter));
        while (prefix.hasRemaining()) {
            prefix.put((byte) ' ');
        }

        return prefix.array();
    }

    static List<TensorSpec> sorted(List<TensorSpec> tensors) {
        return tensors.stream()
                .sorted(Comparator.comparing(TensorSpec::type).reversed().thenComparing(TensorSpec::name))
                .toList();
    }

    static List<Slot> layOut(long from, List<TensorSpec> tensors) {
        List<Slot> slots = new ArrayList<>();
        long next = from;
        for (TensorSpec spec : tensors) {
            slots.add(new Slot(spec, next, next + spec.byteSize()));
            next += spec.byteSize();
        }

        return slots;
    }

    static long end(List<Slot> slots) {
        return slots.isEmpty() ? 0 : slots.get(slots.size() - 1).end();
    }
}
