package org.sparkqlora.weights.safetensors;

import java.io.BufferedInputStream;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Collections;
import java.util.Map;
import java.util.Set;
import org.sparkqlora.storage.FolderFiles;

/**
 * A safetensors file whose header was checked against the file's length. Holds no open file: each tensor is mapped when it
 * is asked for, so a file of any size can be read, and an interrupted thread closes nothing that others use.
 */
public final class SafetensorsFile implements TensorSource {
    private final Path path;
    private final long dataStart;
    private final Map<String, String> metadata;
    private final Map<String, SafetensorsHeader.Slot> slots;

    private SafetensorsFile(Path path, SafetensorsLayout layout) {
        this.path = path;
        this.dataStart = layout.dataStart();
        this.metadata = layout.metadata();
        this.slots = Collections.unmodifiableMap(layout.header().byName());
    }

    /** Reads and checks the header of {@code path}. */
    public static SafetensorsFile open(Path path) {
        try (InputStream in = new BufferedInputStream(Files.newInputStream(path))) {
            return new SafetensorsFile(path, SafetensorsLayout.read(path.toString(), in, Files.size(path)));
        } catch (NoSuchFileException e) {
            throw new InvalidWeightsException("Cannot read %s: the file does not exist".formatted(path), e);
        } catch (IOException e) {
            throw new UncheckedIOException("Failed to read " + path, e);
        }
    }

    /** Reads and checks the header of a file that lies elsewhere: its tensors tell where their bytes are, and cannot be mapped. */
    static SafetensorsFile header(Path path, FolderFiles files, long length) {
        String name = String.valueOf(path.getFileName());
        try {
            byte[] start = files.read(name, 0, (int) Math.min(length, SafetensorsLayout.LENGTH_BYTES));
            byte[] prefix = files.read(name, 0, SafetensorsLayout.prefixBytes(start, length));
            return new SafetensorsFile(
                    path, SafetensorsLayout.read(files.address(name), new ByteArrayInputStream(prefix), length));
        } catch (IOException e) {
            throw new UncheckedIOException("Failed to read " + files.address(name), e);
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

    @Override
    public boolean has(String name) {
        return slots.containsKey(name);
    }

    @Override
    public StoredTensor tensor(String name) {
        SafetensorsHeader.Slot slot = slots.get(name);
        if (slot == null) {
            throw new InvalidWeightsException("Cannot read tensor %s of %s: the file has no such tensor among its %d"
                    .formatted(name, path, slots.size()));
        }

        return new StoredTensor(path, slot.spec(), dataStart + slot.begin());
    }
}
