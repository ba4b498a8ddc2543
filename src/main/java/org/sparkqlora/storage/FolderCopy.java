package org.sparkqlora.storage;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.Arrays;
import java.util.List;
import java.util.function.Predicate;
import org.apache.hadoop.fs.FileStatus;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;

/** Copies the files of a folder to any Hadoop file system: under another name, read back, and then renamed. */
public final class FolderCopy {
    private FolderCopy() {}

    /** Makes {@code target} of the files in {@code source}; folders in it are left out. */
    public static void write(FileSystem from, Path source, FileSystem to, Path target) {
        replace(from, source, to, target, name -> false);
    }

    /**
     * Copies to a folder that exists, in place of its files.
     *
     * @param layout names of its files that go; others stay
     */
    public static void replace(FileSystem from, Path source, FileSystem to, Path target, Predicate<String> layout) {
        try (FreshFolder fresh = FreshFolder.begin(to, target, layout)) {
            List<Path> content = Arrays.stream(from.listStatus(source))
                    .filter(FileStatus::isFile)
                    .map(FileStatus::getPath)
                    .sorted()
                    .toList();
            for (Path file : content) {
                fresh.add(file.getName(), out -> {
                    try (InputStream in = from.open(file)) {
                        in.transferTo(out);
                    }
                });
            }

            fresh.commit();
        } catch (IOException e) {
            throw new UncheckedIOException("Failed to copy %s to %s".formatted(source, target), e);
        }
    }
}
