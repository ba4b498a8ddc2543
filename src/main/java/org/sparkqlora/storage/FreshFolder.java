package org.sparkqlora.storage;

import java.io.FileNotFoundException;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Predicate;
import java.util.regex.Pattern;
import org.apache.hadoop.fs.FileStatus;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;
import org.sparkqlora.input.BadInputException;

/**
 * Replaces a folder as a whole: files are written and read back under a temporary name beside it, the old folder is renamed
 * aside, the new one gets the name, and only then the old files go. A kill between the two renames leaves the old folder
 * aside, where {@link #current} finds it.
 *
 * <p>Only files of the folder's own layout go. What somebody else has put beside them moves into the new folder.
 */
public final class FreshFolder implements AutoCloseable {
    private static final String TEMPORARY = ".tmp-";
    private static final String ASIDE = ".old-";
    /** The form of a UUID. */
    static final String UNIQUE = "[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}";

    /** Nobody still writes what has not changed for so long. */
    private static final Duration ABANDONED = Duration.ofDays(1);

    private final FileSystem files;
    private final Path target;
    private final Predicate<String> layout;
    private final Path temporary;
    private final boolean replaces;
    private final Set<String> begun = ConcurrentHashMap.newKeySet();
    private final List<StoredFile> stored = new ArrayList<>();
    private final Unfinished unfinished;
    private boolean committed;

    private FreshFolder(FileSystem files, Path target, Predicate<String> layout, Path temporary, boolean replaces)
            throws IOException {
        this.files = files;
        this.target = target;
        this.layout = layout;
        this.temporary = temporary;
        this.replaces = replaces;
        this.unfinished = Unfinished.begin(() -> Removal.folder(files, temporary, begun::contains));
    }

    /**
     * Begins a folder that replaces {@code target}, if that is there by now. What processes that died had begun to write as {@code target} goes; others may be
     * writing it now.
     *
     * @param layout names of files that folders of this kind have, whether this one has them or not
     */
    public static FreshFolder begin(FileSystem files, Path target, Predicate<String> layout) throws IOException {
        for (Path left : unfinished(files, target)) {
            if (isAbandoned(files, left)) {
                Removal.folder(files, left, name -> true);
            }
        }

        return new FreshFolder(files, target, layout, sibling(target, TEMPORARY), files.exists(target));
    }

    /** Gives {@code written}, a folder beside {@code target} that holds {@code content}, that name in place of what has it. */
    public static void replace(
            FileSystem files, Path written, List<StoredFile> content, Path target, Predicate<String> layout)
            throws IOException {
        FreshFolder fresh = new FreshFolder(files, target, layout, written, true);
        content.forEach(file -> fresh.begun.add(file.name()));
        fresh.stored.addAll(content);
        fresh.commit();
    }

    /** The folder {@code target}, or the one set aside when a process died while it replaced it. */
    public static Path current(FileSystem files, Path target) throws IOException {
        return files.exists(target)
                ? target
                : siblings(files, target, ASIDE).stream().findFirst().orElse(target);
    }

    /** Removes what processes that died had begun to write as {@code target}. No one else may be writing it. */
    public static void sweep(FileSystem files, Path target) throws IOException {
        for (Path left : unfinished(files, target)) {
            Removal.folder(files, left, name -> true);
        }
    }

    public void add(String name, BlobWriter content) throws IOException {
        begun.add(name);
        stored.add(StoredFile.write(files, new Path(temporary, name), content));
    }

    /**
     * Gives the folder its name.
     *
     * @throws BadInputException if somebody else made {@code target} meanwhile, which stays
     */
    public void commit() throws IOException {
        unfinished.keep();
        if (files.exists(target)) {
            if (!replaces) {
                throw new BadInputException(
                        "Cannot write %s: expected no such folder, as there was none at the start, found one that was made meanwhile. Choose another, or remove it"
                                .formatted(target));
            }

            rename(target, sibling(target, ASIDE));
        }

        rename(temporary, target);
        committed = true;
        for (StoredFile file : stored) {
            file.verify(files, target);
        }

        for (Path aside : siblings(files, target, ASIDE)) {
            retire(aside);
        }
    }

    /** Removes what was written if it was not committed. */
    @Override
    public void close() throws IOException {
        unfinished.close();
        if (!committed) {
            Removal.folder(files, temporary, begun::contains);
        }
    }

    /** Removes a folder that was replaced, once what is not of its layout is in the new one. */
    private void retire(Path aside) throws IOException {
        if (LocalFiles.isLink(files, aside)) {
            LocalFiles.remove(java.nio.file.Path.of(aside.toUri().getPath())); // what it leads to is somebody else's
            return;
        }

        for (FileStatus entry : files.listStatus(aside)) {
            String name = entry.getPath().getName();
            boolean replaced = !entry.isDirectory() && (begun.contains(name) || layout.test(name));
            Path kept = new Path(target, name);
            if (!replaced && !files.exists(kept)) {
                rename(entry.getPath(), kept);
            }
        }

        Removal.folder(files, aside, name -> begun.contains(name) || layout.test(name));
    }

    private void rename(Path from, Path to) throws IOException {
        if (!files.rename(from, to) || !files.exists(to)) {
            throw new IOException("Failed to rename %s to %s".formatted(from, to.getName()));
        }
    }

    /** Hidden, so that a listing of the folder above does not take it for a result. */
    private static Path sibling(Path target, String mark) {
        return new Path(target.getParent(), ".%s%s%s".formatted(target.getName(), mark, UUID.randomUUID()));
    }

    /** A link of such a name leads to what is somebody else's. */
    private static List<Path> unfinished(FileSystem files, Path target) throws IOException {
        return siblings(files, target, TEMPORARY).stream()
                .filter(folder -> !LocalFiles.isLink(files, folder))
                .toList();
    }

    /** An object store has no time of a folder, so files tell it where there are some. */
    private static boolean isAbandoned(FileSystem files, Path folder) throws IOException {
        long since = abandonedSince();
        try {
            FileStatus[] content = files.listStatus(folder);
            return content.length == 0
                    ? files.getFileStatus(folder).getModificationTime() < since
                    : Arrays.stream(content).allMatch(file -> file.getModificationTime() < since);
        } catch (FileNotFoundException e) {
            return false; // somebody else has removed it
        }
    }

    /** What nobody has written to since is of a process that died. */
    static long abandonedSince() {
        return System.currentTimeMillis() - ABANDONED.toMillis();
    }

    private static List<Path> siblings(FileSystem files, Path target, String mark) throws IOException {
        Pattern form = Pattern.compile(Pattern.quote("." + target.getName() + mark) + UNIQUE);
        return StorePath.content(files, target.getParent()).stream()
                .map(FileStatus::getPath)
                .filter(path -> form.matcher(path.getName()).matches())
                .toList();
    }
}
