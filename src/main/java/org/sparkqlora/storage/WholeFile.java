package org.sparkqlora.storage;

import java.io.IOException;
import java.util.Optional;
import java.util.UUID;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.apache.hadoop.fs.CommonPathCapabilities;
import org.apache.hadoop.fs.FSDataOutputStream;
import org.apache.hadoop.fs.FileContext;
import org.apache.hadoop.fs.FileStatus;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.LocalFileSystem;
import org.apache.hadoop.fs.Options;
import org.apache.hadoop.fs.Path;

/**
 * A file that is written as a whole: whenever the process dies, a reader finds what was there before, or the new content.
 *
 * <p>An object store shows an object once it is closed, whole. A file system that can append shows a file while it grows: there
 * it is written under a name of its own beside the target, and then renamed. A killed process may leave that one.
 */
public final class WholeFile {
    private static final Pattern UNFINISHED = Pattern.compile("\\.(.+)\\." + FreshFolder.UNIQUE);

    private WholeFile() {}

    /** Writes {@code target}, which must not exist, and reads it back. */
    public static void create(FileSystem files, Path target, byte[] content) throws IOException {
        create(files, target, out -> out.write(content));
    }

    /** Writes {@code target}, which must not exist, and reads it back. */
    public static StoredFile create(FileSystem files, Path target, BlobWriter content) throws IOException {
        if (!growsInSight(files, target)) {
            return StoredFile.write(files, target, content);
        }

        Path fresh = unfinished(target);
        try (Unfinished begun = Unfinished.begin(() -> Removal.file(files, fresh))) {
            StoredFile written = StoredFile.write(files, fresh, content).named(target.getName());
            begun.keep();
            if (!files.rename(fresh, target)) {
                throw new IOException("Failed to rename %s to %s".formatted(fresh, target.getName()));
            }

            written.verify(files, target.getParent());
            return written;
        } catch (IOException e) {
            removeAfter(e, files, fresh);
            throw e;
        }
    }

    /** Removes what processes that died had begun to write as {@code target}; others may be writing it now. */
    public static void sweepAbandoned(FileSystem files, Path target) throws IOException {
        for (FileStatus entry : StorePath.content(files, target.getParent())) {
            boolean isOurs = !entry.isDirectory()
                    && targetOf(entry.getPath().getName())
                            .filter(target.getName()::equals)
                            .isPresent();
            if (isOurs && entry.getModificationTime() < FreshFolder.abandonedSince()) {
                Removal.file(files, entry.getPath());
            }
        }
    }

    /** The name of the target for which a file of this name was begun, if it was. */
    public static Optional<String> targetOf(String unfinished) {
        Matcher matcher = UNFINISHED.matcher(unfinished);
        return matcher.matches() ? Optional.of(matcher.group(1)) : Optional.empty();
    }

    /** The name under which this write of {@code target} begins, which no other has. Spark reads past files of such names. */
    public static Path unfinished(Path target) {
        return new Path(target.getParent(), ".%s.%s".formatted(target.getName(), UUID.randomUUID()));
    }

    /** Gives a file that is whole its name; false, and the file goes, if another one, whose bytes are the same, has it already. */
    public static boolean giveName(FileSystem files, Path fresh, Path target) throws IOException {
        if (files.rename(fresh, target)) {
            return true;
        }

        Removal.file(files, fresh);
        return false;
    }

    /** Gives {@code target} a new content. */
    public static void replace(FileSystem files, Path target, byte[] content) throws IOException {
        replace(files, target, out -> out.write(content));
    }

    /** Gives {@code target} a new content, which on a file system is read back before it gets the name. */
    public static void replace(FileSystem files, Path target, BlobWriter content) throws IOException {
        if (!growsInSight(files, target)) {
            overwrite(files, target, content);
            return;
        }

        Path fresh = unfinished(target);
        try (Unfinished begun = Unfinished.begin(() -> Removal.file(files, fresh))) {
            StoredFile.write(files, fresh, content);
            begun.keep();
            rename(files, fresh, target);
        } catch (IOException e) {
            removeAfter(e, files, fresh);
            throw e;
        }
    }

    /** Hadoop's local file system with checksums says that it cannot append, and shows what is not whole all the same. */
    private static boolean growsInSight(FileSystem files, Path target) throws IOException {
        return files instanceof LocalFileSystem || files.hasPathCapability(target, CommonPathCapabilities.FS_APPEND);
    }

    private static void overwrite(FileSystem files, Path target, BlobWriter content) throws IOException {
        try (FSDataOutputStream out = files.create(target, true)) {
            StoredFile.writeOrAbort(out, out, content);
        }
    }

    /** Both names in full: the settings of a file system that is shared are of whoever opened it, and so is their default. */
    private static void rename(FileSystem files, Path fresh, Path target) throws IOException {
        if (!LocalFiles.are(files)) {
            Path place = files.makeQualified(target);
            FileContext.getFileContext(place.toUri(), files.getConf())
                    .rename(files.makeQualified(fresh), place, Options.Rename.OVERWRITE);
            return;
        }

        if (LocalFiles.isFolder(target) || !files.rename(fresh, target)) { // into a folder it would be moved
            throw new IOException("Failed to rename %s to %s".formatted(fresh, target.getName()));
        }
    }

    private static void removeAfter(IOException first, FileSystem files, Path fresh) {
        try {
            Removal.file(files, fresh);
        } catch (IOException second) {
            first.addSuppressed(second);
        }
    }
}
