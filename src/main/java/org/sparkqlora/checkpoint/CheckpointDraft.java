package org.sparkqlora.checkpoint;

import java.io.IOException;
import java.io.InputStream;
import java.io.Serializable;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.UUID;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;
import org.sparkqlora.input.BoundedText;
import org.sparkqlora.input.InputLimits;
import org.sparkqlora.storage.BlobWriter;
import org.sparkqlora.storage.LocalFiles;
import org.sparkqlora.storage.Removal;
import org.sparkqlora.storage.StorePath;
import org.sparkqlora.storage.StoredFile;

/**
 * A checkpoint whose state several processes write side by side, each a part of its bytes. Every attempt at a part has a file of its own,
 * which is nothing until the commit object names it: what a killed or late attempt leaves goes with the checkpoint's folder.
 *
 * @param folder URI of the checkpoint's folder
 * @param claim URI of the claim under which it is written
 * @param run who claimed
 */
public record CheckpointDraft(String folder, String claim, String run) implements Serializable {
    private static final Pattern PART =
            Pattern.compile("state-\\d{3,9}-[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\\.bin");

    /** Whether a file of that name is a part of a state. */
    static boolean isPart(String name) {
        return PART.matcher(name).matches();
    }

    /**
     * Runs in any process: writes a part, and reads it back.
     *
     * @param number of the part, counted from 0
     * @throws IOException also where this process does not see the folder that was claimed, such as one on another host's disk
     */
    public StoredFile write(Configuration configuration, int number, BlobWriter part) throws IOException {
        Path parent = new Path(folder);
        FileSystem files = files(parent, configuration);
        requireClaim(files);
        Path file = new Path(parent, String.format(Locale.ROOT, "state-%03d-%s.bin", number, UUID.randomUUID()));
        try {
            return StoredFile.write(files, file, part);
        } catch (IOException | RuntimeException e) {
            removeAfter(e, files, file);
            throw e;
        }
    }

    /** The file system of a checkpoint's folder, whose path names it. */
    static FileSystem files(Path folder, Configuration configuration) throws IOException {
        return folder.toUri().getScheme().equals(LocalFiles.SCHEME)
                ? LocalFiles.system()
                : StorePath.files(folder, configuration);
    }

    private void requireClaim(FileSystem files) throws IOException {
        Path object = new Path(claim);
        try (InputStream in = files.open(object)) {
            String holder = BoundedText.read(in, InputLimits.DEFAULT.documentBytes(), object);
            if (!holder.equals(run)) {
                throw new IOException("Cannot write to %s: expected %s to be of run %s, found %s"
                        .formatted(folder, claim, run, holder));
            }
        }
    }

    /** Removes what attempts wrote that others of the same part overtook. One that comes later goes with the folder. */
    void removeLosers(FileSystem files, List<StoredFile> winners) throws IOException {
        Set<String> kept = winners.stream().map(StoredFile::name).collect(Collectors.toSet());
        Removal.filesIn(files, new Path(folder), name -> isPart(name) && !kept.contains(name));
    }

    private static void removeAfter(Exception first, FileSystem files, Path file) {
        try {
            Removal.file(files, file);
        } catch (IOException second) {
            first.addSuppressed(second);
        }
    }
}
