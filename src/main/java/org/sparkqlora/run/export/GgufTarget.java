package org.sparkqlora.run.export;

import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import org.sparkqlora.input.BadInputException;
import org.sparkqlora.spark.cluster.Location;
import org.sparkqlora.storage.BlobWriter;
import org.sparkqlora.storage.WholeFile;

/**
 * Where a GGUF file goes.
 *
 * @param place the file, if it ends in .gguf, or else the folder for a file named by llama.cpp's rule
 * @param existing what becomes of a file that is there
 */
public record GgufTarget(Location place, Existing existing) {
    private static final String SUFFIX = ".gguf";
    private static final byte[] MAGIC = "GGUF".getBytes(StandardCharsets.US_ASCII);

    /** What becomes of a file that is there. */
    public enum Existing {
        REFUSE,
        REPLACE
    }

    /** Whether the place is the file itself. */
    public boolean isFile() {
        return place.path().getName().endsWith(SUFFIX);
    }

    /** Writes the file whole, under {@code name} if this is a folder. */
    long write(String name, BlobWriter content) {
        Location file = file(name);
        try {
            if (!file.exists()) {
                WholeFile.create(file.files(), file.path(), content);
            } else {
                requireOwn(file);
                WholeFile.replace(file.files(), file.path(), content);
            }

            return file.files().getFileStatus(file.path()).getLen();
        } catch (IOException e) {
            throw new UncheckedIOException("Failed to write " + file, e);
        }
    }

    Location file(String name) {
        return isFile() ? place : place.resolve(name);
    }

    /** Throws an error if there is a file that may not be replaced. */
    void requireFree(String name) {
        Location file = file(name);
        if (file.exists()) {
            requireOwn(file);
        }
    }

    private void requireOwn(Location file) {
        if (existing == Existing.REFUSE) {
            throw new BadInputException(
                    "Cannot write %s: expected no such file yet, found one. To replace it, say --overwrite"
                            .formatted(file));
        }

        if (!isGguf(file)) {
            throw new BadInputException("Cannot overwrite %s: expected a GGUF file, found another".formatted(file));
        }
    }

    private static boolean isGguf(Location file) {
        try (InputStream in = file.files().open(file.path())) {
            return Arrays.equals(in.readNBytes(MAGIC.length), MAGIC);
        } catch (FileNotFoundException e) {
            return false; // a folder
        } catch (IOException e) {
            throw new UncheckedIOException("Failed to read " + file, e);
        }
    }
}
