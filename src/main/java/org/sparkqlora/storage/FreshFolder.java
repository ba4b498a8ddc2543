package org.sparkqlora.storage;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import org.apache.hadoop.fs.FileStatus;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;

/**
 * Replaces a folder as a whole: files are written and read back under a temporary name beside it, the old folder is renamed
 * aside, the new one gets the name, and only then the old one goes. A kill between the two renames leaves the old folder
 * aside, where {@link #current} finds it.
 */
public final class FreshFolder implements AutoCloseable {
    private static final String TEMPORARY = ".tmp-";
    private static final String ASIDE = ".old-";

    private final FileSystem files;
    private final Path target;
    private final Path temporary;
    private final List<StoredFile> stored = new ArrayList<>();
    private boolean committed;

    public FreshFolder(FileSystem files, Path target) {
        this.files = files;
        this.target = target;
        this.temporary = sibling(target, TEMPORARY + UUID.randomUUID());
    }

    /** The folder {@code target}, or the one set aside when a process died while it replaced it. */
    public static Path current(FileSystem files, Path target) throws IOException {
        if (files.exists(target) || !files.exists(target.getParent())) {
            return target;
        }

        Optional<Path> aside = Arrays.stream(files.listStatus(target.getParent()))
                .map(FileStatus::getPath)
                .filter(path -> path.getName().startsWith("." + target.getName() + ASIDE))
                .findFirst();
        return aside.orElse(target);
    }

    public void add(String name, BlobWriter content) throws IOException {
        stored.add(StoredFile.write(files, new Path(temporary, name), content));
    }

    /** Gives the folder its name. */
    public void commit() throws IOException {
        Path old = current(files, target);
        Path aside = old;
        if (files.exists(target)) {
            aside = sibling(target, ASIDE + UUID.randomUUID());
            rename(target, aside);
        }

        rename(temporary, target);
        committed = true;
        for (StoredFile file : stored) {
            file.verify(files, target);
        }

        if (!aside.equals(target)) {
            files.delete(aside, true);
        }
    }

    /** Removes what was written if it was not committed. */
    @Override
    public void close() throws IOException {
        if (!committed) {
            files.delete(temporary, true);
        }
    }

    private void rename(Path from, Path to) throws IOException {
        if (!files.rename(from, to) || !files.exists(to)) {
            throw new IOException("Failed to rename %s to %s".formatted(from, to.getName()));
        }
    }

    /** Hidden, so that a listing of the folder above does not take it for a result. */
    private static Path sibling(Path target, String suffix) {
        return new Path(target.getParent(), "." + target.getName() + suffix);
    }
}
