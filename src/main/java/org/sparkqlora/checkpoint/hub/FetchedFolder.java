package org.sparkqlora.checkpoint.hub;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.SortedMap;
import org.sparkqlora.storage.DiskRoom;
import org.sparkqlora.storage.FolderFiles;
import org.sparkqlora.storage.LocalFiles;
import org.sparkqlora.storage.NewFolder;
import org.sparkqlora.storage.RangedFetch;
import org.sparkqlora.storage.StoredFile;
import org.sparkqlora.weights.safetensors.InvalidWeightsException;

/**
 * Files of a folder that are fetched to this host: into a folder beside the target, where whoever comes after a killed process goes on, and which
 * gets the name once all files are whole.
 *
 * @param lengths of the files to fetch
 * @param hashes SHA-256 by name, of files that have one
 */
record FetchedFolder(FolderFiles from, SortedMap<String, Long> lengths, Map<String, String> hashes) {
    /** Makes the folder {@code target}, which must not exist. No one else may be writing it. */
    void write(Path target) throws IOException {
        RangedFetch fetch = new RangedFetch(from);
        Path parts = target.resolveSibling(target.getFileName() + ".parts");
        DiskRoom.require(parts, missing(fetch, parts));
        Files.createDirectories(parts);
        for (String name : lengths.keySet()) {
            fetch(fetch, name, parts.resolve(name));
        }

        try (NewFolder folder = NewFolder.begin(target)) {
            for (String name : lengths.keySet()) {
                LocalFiles.rename(parts.resolve(name), folder.path().resolve(name));
            }

            folder.commit();
        }

        LocalFiles.remove(parts);
    }

    private long missing(RangedFetch fetch, Path parts) throws IOException {
        long missing = 0;
        for (Map.Entry<String, Long> file : lengths.entrySet()) {
            missing += fetch.missing(file.getValue(), parts.resolve(file.getKey()));
        }

        return missing;
    }

    /** Once more where the bytes are wrong: what came over a network, or from a process that died, may be. */
    private void fetch(RangedFetch fetch, String name, Path part) throws IOException {
        fetch.whole(name, length(name), part);
        if (isWhole(name, part)) {
            return;
        }

        RangedFetch.forget(part);
        fetch.whole(name, length(name), part);
        if (!isWhole(name, part)) {
            String found = StoredFile.hash(part);
            RangedFetch.forget(part);
            throw new InvalidWeightsException(
                    "Cannot trust %s: expected SHA-256 %s as published.json says, found %s. It was damaged or replaced: publish it anew"
                            .formatted(from.address(name), hashes.get(name), found));
        }
    }

    private boolean isWhole(String name, Path part) throws IOException {
        String expected = hashes.get(name);
        return expected == null || StoredFile.hash(part).equals(expected);
    }

    private long length(String name) {
        return lengths.getOrDefault(name, 0L);
    }
}
