package org.sparkqlora.spark.prepare;

import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.Serializable;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.ChecksumException;
import org.apache.hadoop.fs.FSDataInputStream;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;
import org.apache.spark.api.java.JavaSparkContext;
import org.sparkqlora.data.Examples;
import org.sparkqlora.input.BadInputException;
import org.sparkqlora.input.BoundedText;
import org.sparkqlora.input.InputLimits;
import org.sparkqlora.storage.StorePath;
import org.sparkqlora.storage.WholeFile;

/**
 * A folder of prepared rows.
 *
 * @param folder where it is
 * @param manifest of its files
 */
public record PreparedData(String folder, Manifest manifest) implements Serializable {
    /** The data in {@code folder}, if a preparation there was ever finished. */
    public static Optional<PreparedData> find(String folder, Configuration configuration) {
        Path path = StorePath.parse(folder);
        Path file = new Path(path, Manifest.FILE_NAME);
        try {
            FileSystem files = StorePath.files(path, configuration);
            if (!files.getFileStatus(path).isDirectory()) {
                return Optional.empty(); // of a file, HDFS says that permission is denied to look into it
            }

            return Optional.of(new PreparedData(folder, manifest(files, file)));
        } catch (FileNotFoundException e) {
            return Optional.empty();
        } catch (IOException e) {
            throw new UncheckedIOException("Failed to read " + file, e);
        }
    }

    /** The data in {@code folder}. */
    public static PreparedData open(String folder, Configuration configuration) {
        return find(folder, configuration)
                .orElseThrow(() -> new BadInputException("Cannot read prepared rows from %s: expected a %s, found none"
                        .formatted(folder, Manifest.FILE_NAME)));
    }

    /** The report of the preparation; empty in a folder that an older version prepared. */
    public Optional<PreparationReport> report(Configuration configuration) {
        return report(folder, configuration);
    }

    static Optional<PreparationReport> report(String folder, Configuration configuration) {
        Path file = new Path(folder, PreparationReport.FILE_NAME);
        try {
            FileSystem files = StorePath.files(file, configuration);
            return files.exists(file) ? Optional.of(PreparationReportJson.read(text(files, file))) : Optional.empty();
        } catch (IOException e) {
            throw new UncheckedIOException("Failed to read " + file, e);
        }
    }

    /** Writes lines for people beside the rows. */
    public void write(String name, List<String> lines, Configuration configuration) {
        Path file = new Path(folder, name);
        try {
            byte[] text = (String.join("\n", lines) + "\n").getBytes(StandardCharsets.UTF_8);
            WholeFile.replace(StorePath.files(file, configuration), file, text);
        } catch (IOException e) {
            throw new UncheckedIOException("Failed to write " + file, e);
        }
    }

    /** The names of all files that a preparation leaves, and of those in which Hadoop keeps their checksums on a local disk. */
    public List<String> fileNames() {
        List<String> names = new ArrayList<>(List.of(Manifest.FILE_NAME, PreparationReport.FILE_NAME));
        manifest.files().forEach(file -> names.add(file.name()));
        return names.stream()
                .flatMap(name -> Stream.of(name, ".%s.crc".formatted(name)))
                .toList();
    }

    public long rows() {
        return manifest.counts().rows();
    }

    /** Where tasks find these rows, and no others. */
    public RowsPlace place() {
        return new RowsPlace(folder, manifest.fingerprint());
    }

    public PreparedRows reader(Configuration configuration) {
        return new PreparedRows(this, configuration);
    }

    private static Manifest manifest(FileSystem files, Path file) throws IOException {
        try {
            return ManifestJson.read(text(files, file));
        } catch (BadInputException | ChecksumException e) {
            throw new BadInputException(
                    "Cannot use %s: expected the manifest of prepared rows, found an error: %s. If it is one, delete the folder and prepare the data again"
                            .formatted(file, e.getMessage()),
                    e);
        }
    }

    private static String text(FileSystem files, Path file) throws IOException {
        try (FSDataInputStream in = files.open(file)) {
            return BoundedText.read(in, InputLimits.DEFAULT.documentBytes(), file);
        }
    }

    /** The fingerprint of the rows, once they are checked against a model that takes {@code model}. */
    public String fingerprintFor(TokenIds model) {
        manifest.ids().requireFor(model, folder);
        return manifest.fingerprint();
    }

    /** Refuses rows of examples that hold something else. */
    public void requireOf(Examples expected) {
        if (!manifest.examples().equals(expected)) {
            throw new BadInputException(
                    "Cannot use the prepared rows in %s: expected %s examples, found %s ones. Prepare the data with the same --objective"
                            .formatted(
                                    folder,
                                    expected.words(),
                                    manifest.examples().words()));
        }
    }

    /** Refuses rows that are not as they were written, or whose ids are not those of {@code model}. */
    public void requireUsable(TokenIds model, JavaSparkContext context) {
        manifest.ids().requireFor(model, folder);
        List<String> damaged = DamagedRows.of(this, context);
        if (!damaged.isEmpty()) {
            throw new BadInputException(
                    "Cannot use the prepared rows in %s: expected the bytes that were written, found others or none in %s. Delete the folder and prepare the data again"
                            .formatted(folder, String.join(", ", damaged)));
        }
    }
}
