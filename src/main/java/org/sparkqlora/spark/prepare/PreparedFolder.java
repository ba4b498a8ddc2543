package org.sparkqlora.spark.prepare;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Predicate;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FSDataInputStream;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;
import org.apache.spark.api.java.JavaSparkContext;
import org.sparkqlora.input.BadInputException;
import org.sparkqlora.storage.CreatedFiles;
import org.sparkqlora.storage.Removal;
import org.sparkqlora.storage.StorePath;
import org.sparkqlora.storage.WholeFile;

/**
 * A folder as preparation changes it: from one whole set of rows to another. The manifest marks it as ours; of its other files only
 * rows of the preparations before and after are ever removed. Driver only.
 */
final class PreparedFolder {
    private static final Pattern DAY = Pattern.compile("rows-[0-9a-f]{12}\\.day");

    private final String name;
    private final Path path;
    private final Configuration configuration;
    private final FileSystem files;
    private final CreatedFiles created;
    private final FileDeletion deletion;

    private PreparedFolder(String name, JavaSparkContext context) throws IOException {
        this.name = name;
        this.path = StorePath.parse(name);
        this.configuration = context.hadoopConfiguration();
        this.files = StorePath.files(path, configuration);
        this.created = new CreatedFiles(files);
        this.deletion = new FileDeletion(context);
    }

    /** The folder {@code name}, which tasks create if it is missing. */
    static PreparedFolder open(String name, JavaSparkContext context) {
        try {
            PreparedFolder folder = new PreparedFolder(name, context);
            folder.requireNoOther();
            folder.created.noteMissing(folder.path);
            return folder;
        } catch (IOException e) {
            throw new UncheckedIOException("Failed to look into " + name, e);
        }
    }

    /**
     * The day on which the preparation of {@code hash} began here, which is kept beside its rows until they are whole: an attempt
     * that goes on with it on another day makes the same rows.
     */
    RowsDay beganOn(String hash, RowsDay today) {
        Path file = new Path(path, Manifest.rowsPrefix(hash) + ".day");
        try {
            if (files.exists(file)) {
                try (FSDataInputStream in = files.open(file)) {
                    return RowsDay.of(new String(in.readAllBytes(), StandardCharsets.UTF_8));
                }
            }

            String fingerprint = today.fingerprint(hash);
            if (!fingerprint.equals(hash)) {
                replace(file.getName(), fingerprint);
            }

            return today;
        } catch (IOException e) {
            throw new UncheckedIOException("Failed to keep the day of a preparation in " + file, e);
        }
    }

    /** Makes the manifest's files the current rows, then deletes those of the preparation before. */
    PreparedData publish(Manifest manifest, PreparationReport report) {
        try {
            Optional<String> before = PreparedData.find(name, configuration)
                    .map(data -> data.manifest().rowsPrefix());
            replace(PreparationReport.FILE_NAME, PreparationReportJson.write(report));
            replace(Manifest.FILE_NAME, ManifestJson.write(manifest));
            Set<String> current =
                    manifest.files().stream().map(PreparedFile::name).collect(Collectors.toSet());
            Predicate<String> rows =
                    before.map(PreparedFolder::rowsOf).orElse(file -> false).or(rowsOf(manifest.rowsPrefix()));
            delete(rows.and(file -> !current.contains(file)));
            return new PreparedData(name, manifest);
        } catch (IOException e) {
            throw new UncheckedIOException("Failed to publish prepared rows in " + name, e);
        }
    }

    /** Deletes the files of a preparation that failed for {@code reason}. */
    void discard(String prefix, Exception reason) {
        try {
            delete(rowsOf(prefix));
            created.remove();
        } catch (IOException e) {
            reason.addSuppressed(e);
        }
    }

    /** Deletes rows of ours that are not as they were written. */
    static void deleteDamaged(PreparedData data, List<String> damaged, Configuration configuration) {
        Path folder = new Path(data.folder());
        try {
            Removal.filesIn(StorePath.files(folder, configuration), folder, damaged::contains);
        } catch (IOException e) {
            throw new UncheckedIOException("Failed to delete damaged rows in " + folder, e);
        }
    }

    /** The groups with rows of {@code prefix} that an earlier attempt finished. */
    FinishedGroups finished(String prefix) {
        try {
            return FinishedGroups.in(files, path, prefix);
        } catch (IOException e) {
            throw new UncheckedIOException("Failed to list " + name, e);
        }
    }

    /** Files of rows, of groups, and those that a task has begun. */
    private static Predicate<String> rowsOf(String prefix) {
        return Pattern.compile("[._]?%s-\\d+\\.(bin|json)(\\..+)?".formatted(Pattern.quote(prefix)))
                .asMatchPredicate();
    }

    /** Also the day that was kept: in one listing, since a folder may have a file for each of very many groups. */
    private void delete(Predicate<String> rows) throws IOException {
        deletion.delete(files, Removal.named(files, path, rows.or(DAY.asMatchPredicate())));
    }

    private void replace(String file, String text) throws IOException {
        WholeFile.replace(files, new Path(path, file), text.getBytes(StandardCharsets.UTF_8));
    }

    /** A report without a manifest is one whose preparation died before its last file, or the file of somebody else. */
    private void requireNoOther() throws IOException {
        Path report = new Path(path, PreparationReport.FILE_NAME);
        if (files.exists(new Path(path, Manifest.FILE_NAME)) || !files.exists(report)) {
            return;
        }

        try {
            PreparedData.report(name, configuration);
        } catch (IllegalArgumentException e) {
            throw new BadInputException(
                    "Cannot prepare rows in %s: expected a folder without a %s of another program, found one. Choose another folder"
                            .formatted(name, PreparationReport.FILE_NAME),
                    e);
        }
    }
}
