package org.sparkqlora.spark;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.EnumSet;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.CreateFlag;
import org.apache.hadoop.fs.FSDataOutputStream;
import org.apache.hadoop.fs.FileContext;
import org.apache.hadoop.fs.Options;
import org.apache.hadoop.fs.Path;
import org.apache.hadoop.fs.UnsupportedFileSystemException;

/** Puts a small file in place of another so that a reader sees the old or the new one. */
final class FolderFile {
    private FolderFile() {}

    static void replace(Path target, String text, Configuration configuration) throws IOException {
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        try {
            FileContext files = FileContext.getFileContext(target.toUri(), configuration);
            Path fresh = new Path(target.getParent(), "_" + target.getName());
            try (FSDataOutputStream out = files.create(
                    fresh, EnumSet.of(CreateFlag.CREATE, CreateFlag.OVERWRITE), Options.CreateOpts.createParent())) {
                out.write(bytes);
            }

            files.rename(fresh, target, Options.Rename.OVERWRITE);
        } catch (UnsupportedFileSystemException e) {
            overwriteObject(target, bytes, configuration, e);
        }
    }

    /** An object store shows an object once it is closed, whole. */
    private static void overwriteObject(
            Path target, byte[] bytes, Configuration configuration, UnsupportedFileSystemException reason)
            throws IOException {
        try (FSDataOutputStream out = target.getFileSystem(configuration).create(target, true)) {
            out.write(bytes);
        } catch (IOException e) {
            e.addSuppressed(reason);
            throw e;
        }
    }
}
