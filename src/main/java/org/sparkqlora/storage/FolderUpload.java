package org.sparkqlora.storage;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.util.List;
import java.util.stream.Stream;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;

/** Copies a folder of this host to any Hadoop file system: under another name, read back, and then renamed. */
public final class FolderUpload {
    private FolderUpload() {}

    /** Makes {@code target} of the files in {@code source}, which holds no folders. */
    public static void write(FileSystem files, Path target, java.nio.file.Path source) {
        try (Stream<java.nio.file.Path> listed = Files.list(source);
                FreshFolder fresh = new FreshFolder(files, target)) {
            List<java.nio.file.Path> content = listed.sorted().toList();
            for (java.nio.file.Path file : content) {
                fresh.add(String.valueOf(file.getFileName()), out -> Files.copy(file, out));
            }

            fresh.commit();
        } catch (IOException e) {
            throw new UncheckedIOException("Failed to write " + target, e);
        }
    }
}
