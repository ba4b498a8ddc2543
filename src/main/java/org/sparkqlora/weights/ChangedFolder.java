package org.sparkqlora.weights;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import org.sparkqlora.quant.FloatSource;
import org.sparkqlora.quant.Workers;
import org.sparkqlora.storage.NewFolder;
import org.sparkqlora.weights.family.ModelConfigJson;
import org.sparkqlora.weights.safetensors.SafetensorsWriter;
import org.sparkqlora.weights.safetensors.StoredNumbers;
import org.sparkqlora.weights.safetensors.StoredTensors;
import org.sparkqlora.weights.safetensors.StoredType;
import org.sparkqlora.weights.safetensors.TensorSpec;

/**
 * Writes a model with other values of some of its weights, window by window; the others are copied as stored.
 *
 * @param changed may be read by several threads at once
 * @param type of the weights that change
 * @param workers compute a window
 */
record ChangedFolder(WeightFolder source, ChangedWeights changed, StoredType type, Workers workers) {
    private static final int PIECE = 1 << 16;
    private static final int WINDOW = 1 << 22;

    /** Writes the folder {@code target}, which must not exist and appears whole or not at all. */
    void write(Path target) {
        try (NewFolder folder = NewFolder.begin(target)) {
            writeTensors(folder.path().resolve(StoredTensors.SINGLE_FILE));
            Files.copy(
                    source.path().resolve(ModelConfigJson.FILE_NAME),
                    folder.path().resolve(ModelConfigJson.FILE_NAME));
            folder.commit();
        } catch (IOException e) {
            throw new UncheckedIOException("Failed to write " + target, e);
        }
    }

    private void writeTensors(Path file) {
        try (SafetensorsWriter writer = SafetensorsWriter.create(
                file,
                SafetensorsWriter.PYTORCH,
                source.names().stream().map(this::spec).toList())) {
            for (String name : source.names()) {
                if (changed.has(name)) {
                    write(writer, name, changed.floats(name));
                } else {
                    writer.copy(source.tensor(name));
                }
            }

            writer.commit();
        }
    }

    private TensorSpec spec(String name) {
        TensorSpec stored = source.tensor(name).spec();
        return changed.has(name) ? new TensorSpec(name, type, stored.shape()) : stored;
    }

    private void write(SafetensorsWriter writer, String name, FloatSource values) {
        for (long at = 0; at < values.length(); at += WINDOW) {
            int count = (int) Math.min(WINDOW, values.length() - at);
            writer.write(name, at * type.bytes(), window(values, at, count));
        }
    }

    private ByteBuffer window(FloatSource values, long start, int count) {
        ByteBuffer bytes = ByteBuffer.allocate(count * type.bytes());
        workers.forRanges(count, PIECE, (from, to) -> {
            float[] piece = new float[PIECE];
            for (long at = from; at < to; at += PIECE) {
                int length = (int) Math.min(PIECE, to - at);
                values.read(start + at, piece, length);
                StoredNumbers.narrow(type, piece, 0, length, bytes.duplicate().position((int) at * type.bytes()));
            }
        });
        return bytes;
    }
}
