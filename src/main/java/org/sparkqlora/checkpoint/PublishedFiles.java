package org.sparkqlora.checkpoint;

import java.io.IOException;
import java.io.InputStream;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;
import org.jspecify.annotations.Nullable;
import org.sparkqlora.input.BoundedText;
import org.sparkqlora.input.InputLimits;
import org.sparkqlora.storage.StoredFile;
import org.sparkqlora.weights.QuantizationReport;

/**
 * The list of files in the {@code published.json} of a folder.
 *
 * @param quantized how the model was made there; null for a folder that was copied
 */
public record PublishedFiles(
        List<StoredFile> files, @Nullable Quantized quantized) {
    public PublishedFiles {
        files = List.copyOf(files);
    }

    /**
     * The quantisation that wrote a folder.
     *
     * @param plan equal for equal models and formats only
     */
    public record Quantized(String plan, QuantizationReport report) {}

    /** The report of the quantisation. */
    public QuantizationReport report() {
        if (quantized == null) {
            throw new IllegalStateException("Cannot tell of a quantisation: the folder was copied");
        }

        return quantized.report();
    }

    /** All files of {@code folder}, which holds these: {@code published.json} too. */
    public List<StoredFile> all(FileSystem store, Path folder) throws IOException {
        Path commit = new Path(folder, PublishedFolder.COMMIT);
        List<StoredFile> all = new ArrayList<>(files);
        all.add(new StoredFile(commit.getName(), store.getFileStatus(commit).getLen(), StoredFile.hash(store, commit)));
        return all;
    }

    /** Of {@code folder}, if it is a published one. */
    public static Optional<PublishedFiles> find(FileSystem files, Path folder) throws IOException {
        Path commit = new Path(folder, PublishedFolder.COMMIT);
        if (!files.exists(commit)) {
            return Optional.empty();
        }

        try (InputStream in = files.open(commit)) {
            String text = BoundedText.read(in, InputLimits.DEFAULT.documentBytes(), commit);
            return Optional.of(PublishedJson.read(commit.toString(), text));
        }
    }
}
