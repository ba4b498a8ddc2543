package org.sparkqlora.checkpoint;

import java.io.IOException;
import java.io.OutputStream;
import java.util.UUID;
import org.apache.hadoop.fs.CommonPathCapabilities;
import org.apache.hadoop.fs.FileContext;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Options;
import org.apache.hadoop.fs.Path;
import org.apache.hadoop.fs.RawLocalFileSystem;

/** A small file that is replaced as a whole: whenever the process dies, a reader finds the old content or the new. */
public final class WholeFile {
    private WholeFile() {}

    /**
     * Gives {@code target} a new content. An object store shows an object once it is closed, whole; a file system that can
     * append shows one while it grows, so there it is written under another name, which then replaces the target's.
     */
    public static void replace(FileSystem files, Path target, byte[] content) throws IOException {
        if (!files.hasPathCapability(target, CommonPathCapabilities.FS_APPEND)) {
            write(files, target, content);
            return;
        }

        Path fresh = new Path(target.getParent(), ".%s.%s".formatted(target.getName(), UUID.randomUUID()));
        try {
            StoredFile.write(files, fresh, out -> out.write(content));
            rename(files, fresh, target);
        } catch (IOException e) {
            deleteAfter(e, files, fresh);
            throw e;
        }
    }

    private static void write(FileSystem files, Path target, byte[] content) throws IOException {
        try (OutputStream out = files.create(target, true)) {
            out.write(content);
        }
    }

    private static void rename(FileSystem files, Path fresh, Path target) throws IOException {
        if (!(files instanceof RawLocalFileSystem)) {
            FileContext.getFileContext(target.toUri(), files.getConf()).rename(fresh, target, Options.Rename.OVERWRITE);
            return;
        }

        if (!files.rename(fresh, target)) {
            throw new IOException("Failed to rename %s to %s".formatted(fresh, target.getName()));
        }
    }

    private static void deleteAfter(IOException first, FileSystem files, Path fresh) {
        try {
            files.delete(fresh, false);
        } catch (IOException second) {
            first.addSuppressed(second);
        }
    }
}
