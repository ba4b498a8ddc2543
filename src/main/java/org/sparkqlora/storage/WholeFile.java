package org.sparkqlora.storage;

import java.io.IOException;
import java.io.OutputStream;
import java.util.Optional;
import java.util.UUID;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.apache.hadoop.fs.CommonPathCapabilities;
import org.apache.hadoop.fs.FileContext;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Options;
import org.apache.hadoop.fs.Path;
import org.apache.hadoop.fs.RawLocalFileSystem;

/**
 * A small file that is written as a whole: whenever the process dies, a reader finds what was there before, or the new content.
 *
 * <p>An object store shows an object once it is closed, whole. A file system that can append shows a file while it grows: there
 * it is written under a name of its own beside the target, and then renamed. A killed process may leave that one.
 */
public final class WholeFile {
    private static final Pattern UNFINISHED = Pattern.compile("\\.(.+)\\.[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}");

    private WholeFile() {}

    /** Writes {@code target}, which must not exist, and reads it back. */
    public static void create(FileSystem files, Path target, byte[] content) throws IOException {
        if (!growsInSight(files, target)) {
            StoredFile.write(files, target, out -> out.write(content));
            return;
        }

        Path fresh = unfinished(target);
        try {
            StoredFile written = StoredFile.write(files, fresh, out -> out.write(content));
            if (!files.rename(fresh, target)) {
                throw new IOException("Failed to rename %s to %s".formatted(fresh, target.getName()));
            }

            written.named(target.getName()).verify(files, target.getParent());
        } catch (IOException e) {
            deleteAfter(e, files, fresh);
            throw e;
        }
    }

    /** The name of the target for which a file of this name was begun, if it was. */
    public static Optional<String> targetOf(String unfinished) {
        Matcher matcher = UNFINISHED.matcher(unfinished);
        return matcher.matches() ? Optional.of(matcher.group(1)) : Optional.empty();
    }

    /** Gives {@code target} a new content. */
    public static void replace(FileSystem files, Path target, byte[] content) throws IOException {
        if (!growsInSight(files, target)) {
            write(files, target, content);
            return;
        }

        Path fresh = unfinished(target);
        try {
            StoredFile.write(files, fresh, out -> out.write(content));
            rename(files, fresh, target);
        } catch (IOException e) {
            deleteAfter(e, files, fresh);
            throw e;
        }
    }

    private static boolean growsInSight(FileSystem files, Path target) throws IOException {
        return files.hasPathCapability(target, CommonPathCapabilities.FS_APPEND);
    }

    private static Path unfinished(Path target) {
        return new Path(target.getParent(), ".%s.%s".formatted(target.getName(), UUID.randomUUID()));
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
