package org.sparkqlora.storage;

import java.io.IOException;
import java.nio.file.Files;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentLinkedDeque;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;

/** The files and folders that this process has created, and so may take away again. Of its folders those go that are empty then. */
public final class CreatedFiles {
    private final FileSystem files;
    private final Map<Path, Set<String>> created = new LinkedHashMap<>(); // names of files by their folder
    private final Deque<Path> folders = new ConcurrentLinkedDeque<>(); // what is inside comes first

    public CreatedFiles(FileSystem files) {
        this.files = files;
    }

    /** Creates {@code folder} with those above it that are missing; false if the store did not. */
    public boolean createFolder(Path folder) throws IOException {
        noteMissing(folder);
        boolean isThere = files.mkdirs(folder);
        if (!isThere && LocalFiles.are(files)) {
            Files.createDirectories(java.nio.file.Path.of(folder.toUri().getPath())); // which says why not
            return true;
        }

        return isThere;
    }

    /**
     * Notes {@code folder}, and those above it, where they are still missing: someone creates them on behalf of this process.
     *
     * @return false if the folder is there already
     */
    public boolean noteMissing(Path folder) throws IOException {
        Deque<Path> missing = new ArrayDeque<>();
        for (Path at = folder; at != null && !files.exists(at); at = at.getParent()) {
            missing.addLast(at);
        }

        missing.descendingIterator().forEachRemaining(folders::addFirst);
        return !missing.isEmpty();
    }

    /** Until the result is closed, a signal that ends the process takes away the folders that are empty. */
    public Unfinished begin() throws IOException {
        return Unfinished.begin(this::removeFolders);
    }

    /** Notes a file that this process creates. */
    public void note(Path file) {
        created.computeIfAbsent(file.getParent(), any -> new HashSet<>()).add(file.getName());
    }

    /** Deletes the files, and the folders that are then empty. */
    public void remove() throws IOException {
        for (Map.Entry<Path, Set<String>> folder : created.entrySet()) {
            Removal.filesIn(files, folder.getKey(), folder.getValue()::contains);
        }

        removeFolders();
    }

    private void removeFolders() throws IOException {
        for (Path folder : folders) {
            Removal.emptyFolder(files, folder);
        }
    }
}
