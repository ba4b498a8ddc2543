package org.sparkqlora.run.export;

import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import org.sparkqlora.input.BadInputException;
import org.sparkqlora.options.Overlap;
import org.sparkqlora.quant.Workers;
import org.sparkqlora.spark.cluster.Location;
import org.sparkqlora.storage.BlobWriter;
import org.sparkqlora.storage.WholeFile;
import org.sparkqlora.weights.gguf.GgufExport;
import org.sparkqlora.weights.gguf.GgufOutType;

/**
 * The place of a GGUF file.
 *
 * @param place the file, if it ends in .gguf, or else the folder for a file named by llama.cpp's rule
 * @param existing what becomes of a file that is there
 * @param model that is read, and never replaced
 */
public record GgufTarget(Location place, Existing existing, Overlap.Input model) {
    private static final String SUFFIX = ".gguf";
    private static final byte[] MAGIC = "GGUF".getBytes(StandardCharsets.US_ASCII);

    /** The treatment of a file that is there. */
    public enum Existing {
        REFUSE,
        REPLACE
    }

    /** Whether {@code place} names a file. */
    public static boolean isFile(Location place) {
        return place.path().getName().endsWith(SUFFIX);
    }

    /** Writes {@code export}, under its own name if this is a folder; the file appears whole or not at all. */
    ExportedFile write(GgufExport export, GgufOutType type) {
        Location file = isFile(place) ? place : place.resolve(export.fileName());
        boolean isNew = !file.exists();
        if (!isNew) {
            requireOwn(file);
        }

        try (Workers workers = new Workers(Runtime.getRuntime().availableProcessors())) {
            WholeFile.sweepAbandoned(file.files(), file.path());
            write(file, isNew, out -> export.write(out, workers));
            long bytes = file.files().getFileStatus(file.path()).getLen();
            return new ExportedFile(file, type, export.tensors(), bytes, export.notes());
        } catch (IOException e) {
            throw new UncheckedIOException("Failed to write " + file, e);
        }
    }

    private static void write(Location file, boolean isNew, BlobWriter content) throws IOException {
        if (isNew) {
            WholeFile.create(file.files(), file.path(), content);
        } else {
            WholeFile.replace(file.files(), file.path(), content);
        }
    }

    private void requireOwn(Location file) {
        new Overlap(file, List.of()).refuse(model.option(), model.place());
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
