package org.sparkqlora.spark;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.Set;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileStatus;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;

/** A folder as preparation changes it: from one whole set of rows to another. Driver only. */
final class PreparedFolder {
    private static final String ROWS = "rows-";

    /** Before the name of a file that a task is still writing. */
    private static final String UNFINISHED = "_";

    private final String name;
    private final Path path;
    private final Configuration configuration;

    PreparedFolder(String name, Configuration configuration) {
        this.name = name;
        this.path = new Path(name);
        this.configuration = configuration;
    }

    /** Makes the manifest's files the current rows, then deletes all others. */
    PreparedData publish(Manifest manifest, PreparationReport report) {
        try {
            FolderFile.replace(
                    new Path(path, PreparationReport.FILE_NAME), PreparationReportJson.write(report), configuration);
            FolderFile.replace(new Path(path, Manifest.FILE_NAME), ManifestJson.write(manifest), configuration);
            Set<String> current =
                    manifest.files().stream().map(PreparedFile::name).collect(Collectors.toSet());
            deleteFiles(file -> isRows(file) && !current.contains(file));
            return new PreparedData(name, manifest);
        } catch (IOException e) {
            throw new UncheckedIOException("Failed to publish prepared rows in " + name, e);
        }
    }

    /** Deletes what a preparation left that failed for {@code reason}. */
    void discard(String prefix, Exception reason) {
        try {
            FileSystem fileSystem = path.getFileSystem(configuration);
            if (!fileSystem.exists(path)) {
                return;
            }

            deleteFiles(file -> file.startsWith(prefix) || file.startsWith(UNFINISHED + prefix));
            if (fileSystem.listStatus(path).length == 0) {
                fileSystem.delete(path, false);
            }
        } catch (IOException e) {
            reason.addSuppressed(e);
        }
    }

    private void deleteFiles(Predicate<String> unwanted) throws IOException {
        FileSystem fileSystem = path.getFileSystem(configuration);
        for (FileStatus file : fileSystem.listStatus(path)) {
            if (unwanted.test(file.getPath().getName())) {
                fileSystem.delete(file.getPath(), false);
            }
        }
    }

    private static boolean isRows(String file) {
        return file.startsWith(ROWS) || file.startsWith(UNFINISHED + ROWS);
    }
}
