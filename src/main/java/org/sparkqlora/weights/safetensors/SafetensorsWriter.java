package org.sparkqlora.weights.safetensors;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.sparkqlora.input.BadInputException;
import org.sparkqlora.quant.FloatSource;
import org.sparkqlora.storage.DiskRoom;
import org.sparkqlora.storage.LocalFiles;
import org.sparkqlora.weights.safetensors.SafetensorsHeader.Slot;

/**
 * Writes a safetensors file piece by piece, in any order, without holding a tensor in memory. Tensors lie as the library
 * lays them: widest type first, then by name, which keeps each aligned. Nothing exists under the target's name before
 * {@link #commit}: the bytes go to a temporary file beside it, are forced to disk, and the file is renamed.
 *
 * <p>Texts are byte tensors whose length is known only at the end; they come last, and the header keeps room for them.
 */
public final class SafetensorsWriter implements AutoCloseable {
    /** Numbers that are converted at once. */
    private static final int CONVERTED = 1 << 20;

    /** The metadata that transformers and PEFT write and expect. */
    public static final Map<String, String> PYTORCH = Map.of("format", "pt");

    private final Path target;
    private final Path temporary;
    private final FileChannel channel;
    private final Map<String, String> metadata;
    private final Map<String, Slot> slots;
    private final Map<String, Long> written = new HashMap<>();
    private final Map<String, byte[]> texts = new LinkedHashMap<>();
    private final SafetensorsLayout layout;
    private boolean committed;

    private SafetensorsWriter(Path target, Map<String, String> metadata, List<Slot> slots, List<Slot> longestTexts)
            throws IOException {
        this.target = target;
        this.metadata = metadata;
        this.slots = new SafetensorsHeader(metadata, slots).byName();
        longestTexts.forEach(slot -> texts.put(slot.spec().name(), new byte[0]));
        List<Slot> all = new ArrayList<>(slots);
        all.addAll(longestTexts);
        this.layout = SafetensorsLayout.ofSlots(metadata, all);
        DiskRoom.require(target, layout.fileSize());
        this.temporary = target.resolveSibling(target.getFileName() + ".tmp-" + UUID.randomUUID());
        this.channel = FileChannel.open(temporary, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE);
    }

    /** Begins a file of {@code tensors}, for which its disk must have room. */
    public static SafetensorsWriter create(Path target, Map<String, String> metadata, List<TensorSpec> tensors) {
        return create(target, metadata, tensors, List.of(), 0);
    }

    /** Begins a file of {@code tensors} and of texts of at most {@code longestText} bytes each. */
    public static SafetensorsWriter create(
            Path target,
            Map<String, String> metadata,
            List<TensorSpec> tensors,
            List<String> textNames,
            int longestText) {
        List<Slot> slots = SafetensorsLayout.layOut(0, SafetensorsLayout.sorted(tensors));
        List<Slot> textSlots = SafetensorsLayout.layOut(
                SafetensorsLayout.end(slots),
                textNames.stream()
                        .sorted()
                        .map(name -> TensorSpec.of(name, StoredType.U8, longestText))
                        .toList());
        try {
            return new SafetensorsWriter(target, metadata, slots, textSlots);
        } catch (IOException e) {
            throw failed(target, e);
        }
    }

    /** Copies a stored tensor under its own name. */
    public void copy(StoredTensor tensor) {
        if (!tensor.isPlain()) {
            copyConverted(tensor);
            return;
        }

        long step = 1 << 26;
        for (long from = 0; from < tensor.byteSize(); from += step) {
            write(tensor.name(), from, tensor.buffer(from, (int) Math.min(step, tensor.byteSize() - from)));
        }
    }

    /** In the tensor's own type, which holds its numbers exactly. */
    private void copyConverted(StoredTensor tensor) {
        FloatSource source = tensor.asFloats();
        int width = Math.toIntExact(tensor.shape()[1]);
        int step = Math.max(1, CONVERTED / width) * width;
        float[] values = new float[step];
        ByteBuffer bytes = ByteBuffer.allocate(step * tensor.type().bytes());
        for (long from = 0; from < source.length(); from += step) {
            int count = (int) Math.min(step, source.length() - from);
            source.read(from, values, count);
            StoredNumbers.narrow(tensor.type(), values, 0, count, bytes.clear());
            write(tensor.name(), from * tensor.type().bytes(), bytes.flip());
        }
    }

    /** Writes all bytes of the tensor {@code name}. */
    public void write(String name, ByteBuffer content) {
        write(name, 0, content);
    }

    /** Writes a piece of the tensor {@code name}, from its byte {@code from} on. Pieces must not overlap. */
    public void write(String name, long from, ByteBuffer content) {
        Slot slot = slots.get(name);
        if (slot == null) {
            throw new BadInputException("Cannot write tensor %s to %s: it was not announced".formatted(name, target));
        }

        int count = content.remaining();
        long size = slot.end() - slot.begin();
        if (from < 0 || from + count > size) {
            throw new BadInputException("Cannot write tensor %s to %s: expected at most %d bytes, found %d"
                    .formatted(name, target, size, from + count));
        }

        put(layout.dataStart() + slot.begin() + from, content.duplicate());
        written.merge(name, (long) count, Long::sum);
    }

    /** Sets the text {@code name}. */
    public void writeText(String name, byte[] text) {
        texts.put(name, text.clone());
    }

    /** Completes the file: every announced tensor must have been written. */
    public void commit() {
        finish();
        try {
            channel.force(true);
        } catch (IOException e) {
            throw failed(target, e);
        }

        giveName();
    }

    /** Completes a file that somebody else forces to disk, or that need not outlive this host: else as {@link #commit}. */
    public void commitUnforced() {
        finish();
        giveName();
    }

    private void finish() {
        requireComplete();
        List<Slot> all = new ArrayList<>(slots.values());
        all.addAll(SafetensorsLayout.layOut(
                SafetensorsLayout.end(all),
                texts.entrySet().stream()
                        .map(text -> TensorSpec.of(text.getKey(), StoredType.U8, text.getValue().length))
                        .toList()));
        all.subList(slots.size(), all.size())
                .forEach(slot -> put(
                        layout.dataStart() + slot.begin(),
                        ByteBuffer.wrap(texts.get(slot.spec().name()))));
        put(0, ByteBuffer.wrap(layout.prefix(new SafetensorsHeader(metadata, all))));
    }

    private void giveName() {
        try {
            channel.close();
            LocalFiles.rename(temporary, target);
        } catch (IOException e) {
            throw failed(target, e);
        }

        committed = true;
    }

    /** Removes what was written if it was not committed. */
    @Override
    public void close() {
        if (committed) {
            return;
        }

        try {
            channel.close();
            LocalFiles.remove(temporary);
        } catch (IOException e) {
            throw new UncheckedIOException("Failed to remove " + temporary, e);
        }
    }

    private void requireComplete() {
        slots.forEach((name, slot) -> {
            long expected = slot.end() - slot.begin();
            long found = written.getOrDefault(name, 0L);
            if (found != expected) {
                throw new IllegalStateException("Cannot complete %s: expected %d bytes of tensor %s, found %d"
                        .formatted(target, expected, name, found));
            }
        });
        texts.forEach((name, text) -> {
            if (text.length == 0) {
                throw new IllegalStateException(
                        "Cannot complete %s: expected a text for tensor %s, found none".formatted(target, name));
            }
        });
    }

    private void put(long position, ByteBuffer content) {
        try {
            while (content.hasRemaining()) {
                position += channel.write(content, position);
            }
        } catch (IOException e) {
            throw failed(target, e);
        }
    }

    private static UncheckedIOException failed(Path target, IOException cause) {
        return new UncheckedIOException("Failed to write " + target, cause);
    }
}
