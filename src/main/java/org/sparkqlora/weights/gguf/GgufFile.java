package org.sparkqlora.weights.gguf;

import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import org.sparkqlora.weights.safetensors.InvalidWeightsException;

/**
 * A GGUF file whose header was checked against the file's length.
 *
 * @param metadata what it says about the model
 * @param tensors by name, in the order of the header
 */
record GgufFile(Path path, GgufMetadata metadata, Map<String, GgufTensor> tensors) {
    GgufFile {
        tensors = new LinkedHashMap<>(tensors);
    }

    /** Reads and checks the header of {@code path}. */
    static GgufFile open(Path path) {
        try (InputStream in = new BufferedInputStream(Files.newInputStream(path), 1 << 16)) {
            long size = Files.size(path);
            return new GgufHeader(path, new GgufCursor(path.toString(), in, size), size).read();
        } catch (NoSuchFileException e) {
            throw new InvalidWeightsException("Cannot read %s: the file does not exist".formatted(path), e);
        } catch (IOException e) {
            throw new UncheckedIOException("Failed to read " + path, e);
        }
    }
}
