package org.sparkqlora.checkpoint.hub;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.SortedMap;
import org.sparkqlora.storage.DamagedFileException;
import org.sparkqlora.storage.DiskRoom;
import org.sparkqlora.storage.LocalFiles;
import org.sparkqlora.storage.NewFolder;
import org.sparkqlora.storage.RangedFetch;

/**
 * Files of a folder that are fetched to this host: into a folder beside the target, where whoever comes after a killed process goes on, and which
 * gets the name once all files are whole.
 *
 * @param lengths of the files to fetch
 */
record FetchedFolder(RangedFetch fetch, SortedMap<String, Long> lengths, Check check) {
    /** Tells what is not as it should be. */
    @FunctionalInterface
    interface Check {
        /** @throws DamagedFileException if {@code part} has not the bytes of the file {@code name} */
        void verify(String name, Path part) throws IOException;
    }

    /** Makes the folder {@code target}, which must not exist. No one else may be writing it. */
    void write(Path target) throws IOException {
        Path parts = target.resolveSibling(target.getFileName() + ".parts");
        DiskRoom.require(parts, missing(parts));
        Files.createDirectories(parts);
        for (Map.Entry<String, Long> file : lengths.entrySet()) {
            fetch(file.getKey(), file.getValue(), parts.resolve(file.getKey()));
        }

        try (NewFolder folder = NewFolder.begin(target)) {
            for (String name : lengths.keySet()) {
                LocalFiles.rename(parts.resolve(name), folder.path().resolve(name));
            }

            folder.commit();
        }

        LocalFiles.remove(parts);
    }

    private long missing(Path parts) throws IOException {
        long missing = 0;
        for (Map.Entry<String, Long> file : lengths.entrySet()) {
            missing += fetch.missing(file.getValue(), parts.resolve(file.getKey()));
        }

        return missing;
    }

    /** Once more where the bytes are wrong: what came over a network, or from a process that died, may be. */
    private void fetch(String name, long length, Path part) throws IOException {
        try {
            fetchOnce(name, length, part);
        } catch (DamagedFileException e) {
            fetchOnce(name, length, part);
        }
    }

    private void fetchOnce(String name, long length, Path part) throws IOException {
        fetch.whole(name, length, part);
        try {
            check.verify(name, part);
        } catch (DamagedFileException e) {
            RangedFetch.forget(part);
            throw e;
        }
    }
}
