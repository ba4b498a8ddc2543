package org.sparkqlora.checkpoint;

import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.apache.hadoop.fs.ChecksumException;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;
import org.sparkqlora.input.BadInputException;
import org.sparkqlora.input.BoundedText;
import org.sparkqlora.input.InputLimits;
import org.sparkqlora.storage.DamagedFileException;
import org.sparkqlora.storage.StoreRequests;
import org.sparkqlora.storage.StoredFile;

/** The checkpoints in a folder, as a reader finds them. */
record StoredCheckpoints(FileSystem files, Path folder) {
    /** Throws an error if a file of a checkpoint is not what was written. */
    interface FileCheck {
        void require(StoredFile file, FileSystem files, Path checkpoint) throws IOException;
    }

    /** The newest checkpoint whose files pass {@code check}, see {@link CheckpointStore#newestGood}. */
    Optional<Checkpoint> newest(FileCheck check) {
        List<String> skipped = new ArrayList<>();
        List<String> listed = listed();
        for (CheckpointName name :
                CheckpointName.newestFirst(Stream.concat(listed.stream(), commitsOfFolders(listed)))) {
            try {
                Commit commit = commit(name, check);
                return Optional.of(new Checkpoint(files, new Path(folder, name.folder()), commit, skipped));
            } catch (FileNotFoundException | ChecksumException | DamagedFileException | BadInputException e) {
                noteSkipped(skipped, listed, name, e);
            } catch (IOException e) {
                throw new UncheckedIOException(
                        "Failed to read checkpoint %s of %s, which may be good: no older one is taken for it"
                                .formatted(name.folder(), folder),
                        e);
            }
        }

        if (!skipped.isEmpty()) {
            throw new BadInputException("Cannot resume from %s: none of its %d checkpoints can be trusted\n  %s"
                    .formatted(folder, skipped.size(), String.join("\n  ", skipped)));
        }

        return Optional.empty();
    }

    /** A listing may lack an object that is there. */
    private static Stream<String> commitsOfFolders(List<String> listed) {
        return listed.stream()
                .flatMap(name -> CheckpointName.parse(name).stream())
                .map(CheckpointName::commit);
    }

    /** A folder whose object is not there never was a checkpoint. */
    private static void noteSkipped(List<String> skipped, List<String> listed, CheckpointName name, Exception reason) {
        if (listed.contains(name.commit())) {
            skipped.add("%s: %s".formatted(name.folder(), reason.getMessage()));
        }
    }

    /** The object of a checkpoint whose files pass {@code check}. */
    Commit commit(CheckpointName name, FileCheck check) throws IOException {
        Path file = new Path(folder, name.commit());
        Commit commit = CommitJson.parse(file.toString(), readText(file));
        if (!commit.folder().equals(name.folder())) {
            throw new DamagedFileException("Cannot trust %s: expected it to name %s, found %s"
                    .formatted(file, name.folder(), commit.folder()));
        }

        StoreRequests.allLong(commit.files(), stored -> {
            check.require(stored, files, new Path(folder, name.folder()));
            return stored;
        });
        return commit;
    }

    String readText(Path file) throws IOException {
        try (InputStream in = StoredFile.open(files, file)) {
            return BoundedText.read(in, InputLimits.DEFAULT.documentBytes(), file);
        }
    }

    List<String> listed() {
        try {
            return Claims.names(files, folder);
        } catch (IOException e) {
            throw new UncheckedIOException("Failed to list checkpoints in " + folder, e);
        }
    }
}
