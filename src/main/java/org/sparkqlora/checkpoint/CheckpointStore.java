package org.sparkqlora.checkpoint;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.sparkqlora.input.BadInputException;
import org.sparkqlora.storage.BlobWriter;
import org.sparkqlora.storage.Removal;
import org.sparkqlora.storage.StoreRequests;
import org.sparkqlora.storage.StoredFile;
import org.sparkqlora.storage.WholeFile;

/**
 * Checkpoints in a folder of any Hadoop file system, object stores included. Driver only.
 *
 * <p>Each is a folder that is written once, read back, and made to exist by one small object, written last, that names every
 * file with its length and hash. The object is whole or not there, see {@link WholeFile}. A reader takes the newest whose files
 * are all as they were written. A killed writer leaves at most a folder without such an object, or an unfinished one, which a
 * later writer removes.
 *
 * <p>Writers claim the folder by number. One that finds a higher claim stops, so two drivers never mix their checkpoints.
 */
public final class CheckpointStore {
    /** So many good checkpoints are kept at least: the newest may be damaged. */
    public static final int FEWEST_KEPT = 2;

    static final String STATE_FILE = "state.bin";

    private static final Logger LOG = LoggerFactory.getLogger(CheckpointStore.class);
    private static final int RUN_ID_LENGTH = 8;

    private final FileSystem files;
    private final Path folder;
    private final int keep;
    private final String run;
    private final StoredCheckpoints stored;
    private final Ownership ownership;
    private final Set<CheckpointName> verified = new HashSet<>();
    private int published;

    /** A store for a run of its own; {@code keep} good checkpoints are kept, at least 2. */
    public CheckpointStore(FileSystem files, Path folder, int keep) {
        this(files, folder, keep, UUID.randomUUID().toString().substring(0, RUN_ID_LENGTH));
    }

    CheckpointStore(FileSystem files, Path folder, int keep, String run) {
        if (keep < FEWEST_KEPT) {
            throw new BadInputException(
                    "Cannot keep %d checkpoints: expected at least %d, since the newest may be damaged"
                            .formatted(keep, FEWEST_KEPT));
        }

        this.files = files;
        this.folder = folder;
        this.keep = keep;
        this.run = run;
        this.stored = new StoredCheckpoints(files, folder);
        this.ownership = new Ownership(new Claims(files, folder), folder, run);
    }

    /** Whether a file of that name is a claim of a writer. */
    public static boolean isClaim(String name) {
        return Claims.isClaim(name);
    }

    /** Takes the folder over: writers that claimed it before can no longer publish. The first publication does it otherwise. */
    public void claim() {
        try {
            ownership.claim();
        } catch (IOException e) {
            throw new UncheckedIOException("Failed to claim checkpoint folder " + folder, e);
        }
    }

    /** Removes every checkpoint. Claims stay, and what is none of a store's files. */
    public void clear() {
        try {
            for (String name : stored.listed()) {
                Optional<CheckpointName> commit = CheckpointName.parseCommit(name);
                if (commit.isPresent()) {
                    remove(commit.get());
                }
            }
        } catch (IOException e) {
            throw new UncheckedIOException("Failed to remove the checkpoints in " + folder, e);
        }
    }

    /** Throws an error when another driver has claimed the folder since. */
    public void requireOwned() {
        try {
            ownership.require("write");
        } catch (IOException e) {
            throw new UncheckedIOException("Failed to look for other drivers in " + folder, e);
        }
    }

    /**
     * Writes the checkpoint of {@code step} and removes the oldest ones.
     *
     * @param facts short texts to keep beside the state
     * @param state writes the state
     */
    public void publish(long step, Map<String, String> facts, BlobWriter state) {
        CheckpointName name = next(step);
        try {
            ownership.require(String.format(Locale.ROOT, "publish step %d", step));
            commit(name, facts, List.of(writeState(new Path(folder, name.folder()), state)));
        } catch (IOException e) {
            throw unwritten(name, e);
        }

        sweep();
    }

    /** Begins the checkpoint of {@code step}, whose state others write in parts. Nothing is written by this. */
    public CheckpointDraft draft(long step) {
        CheckpointName name = next(step);
        return new CheckpointDraft(uri(name.folder()), uri(ownership.object().getName()), run);
    }

    private String uri(String name) {
        return files.makeQualified(new Path(folder, name)).toString();
    }

    /** Whether the parts of a state are where this process reads them. Who wrote them has read them back. */
    public boolean has(CheckpointDraft draft, List<StoredFile> parts) {
        try {
            return StoreRequests.all(parts, part -> part.isIn(files, new Path(draft.folder()))).stream()
                    .allMatch(there -> there);
        } catch (IOException e) {
            throw new UncheckedIOException("Failed to look for the parts of " + draft.folder(), e);
        }
    }

    /** Makes the checkpoint exist whose state is {@code parts}, one after the other, and removes the oldest ones. */
    public void publish(CheckpointDraft draft, Map<String, String> facts, List<StoredFile> parts) {
        CheckpointName name =
                CheckpointName.parse(new Path(draft.folder()).getName()).orElseThrow();
        try {
            commit(name, facts, parts);
        } catch (IOException e) {
            throw unwritten(name, e);
        }

        sweep();
        removeLosers(draft, parts);
    }

    private CheckpointName next(long step) {
        if (!ownership.isClaimed()) {
            claim();
        }

        return new CheckpointName(step, run, ownership.attempt(), published++);
    }

    private UncheckedIOException unwritten(CheckpointName name, IOException e) {
        return new UncheckedIOException(
                "Failed to write checkpoint %s of %s; those before it are kept".formatted(name.folder(), folder), e);
    }

    private void commit(CheckpointName name, Map<String, String> facts, List<StoredFile> content) throws IOException {
        ownership.require(String.format(Locale.ROOT, "publish step %d", name.step()));
        commit(name, CommitJson.write(new Commit(name.step(), run, name.attempt(), name.folder(), facts, content)));
        verified.add(name);
    }

    private void removeLosers(CheckpointDraft draft, List<StoredFile> winners) {
        try {
            draft.removeLosers(files, winners);
        } catch (IOException e) {
            LOG.warn("Failed to remove what is no part of {}; it goes with its folder", draft.folder(), e);
        }
    }

    /**
     * The newest checkpoint whose files are as they were written, each read through; nothing when there never was one. One is passed over
     * only when it is damaged: files that are missing, or of another length or hash.
     *
     * @throws UncheckedIOException when the store does not tell
     * @throws BadInputException when there are checkpoints and all are damaged
     */
    public Optional<Checkpoint> newestGood() {
        return stored.newest(StoredFile::verify);
    }

    /** As {@link #newestGood} by the lengths of files alone: whoever reads the checkpoint compares it with what was written. */
    public Optional<Checkpoint> newestByLength() {
        return stored.newest(StoredFile::requireLength);
    }

    /** Counts {@code checkpoint} as good: someone has read it whole since. */
    public void trust(Checkpoint checkpoint) {
        CheckpointName.parse(checkpoint.folder().getName()).ifPresent(verified::add);
    }

    /** Removes an incomplete checkpoint at once: the store may be full. */
    private StoredFile writeState(Path checkpoint, BlobWriter state) throws IOException {
        try {
            return StoredFile.write(files, new Path(checkpoint, STATE_FILE), state);
        } catch (IOException | RuntimeException e) { // as where those who had the State are lost meanwhile
            removeAfter(e, checkpoint);
            throw e;
        }
    }

    private void removeAfter(Exception first, Path unfinished) {
        try {
            Removal.folder(files, unfinished, STATE_FILE::equals);
        } catch (IOException second) {
            first.addSuppressed(second);
        }
    }

    /** When it is unknown whether the object was written, reading it tells. */
    private void commit(CheckpointName name, String text) throws IOException {
        Path file = new Path(folder, name.commit());
        try {
            WholeFile.create(files, file, text.getBytes(StandardCharsets.UTF_8));
        } catch (IOException e) {
            if (!isWritten(file, text, e)) {
                throw e;
            }
        }
    }

    private boolean isWritten(Path file, String text, IOException first) {
        try {
            return stored.readText(file).equals(text);
        } catch (IOException second) {
            first.addSuppressed(second);
            return false;
        }
    }

    /** Files that cannot be removed now are left to the next publication: this one is safe. */
    private void sweep() {
        try {
            List<String> listed = stored.listed();
            removeSurplus(CheckpointName.newestFirst(listed.stream()));
            removeOrphans(listed);
        } catch (IOException | UncheckedIOException e) {
            LOG.warn("Failed to remove old checkpoints of {}; the next checkpoint tries again", folder, e);
        }
    }

    private void removeSurplus(List<CheckpointName> newestFirst) throws IOException {
        for (CheckpointName name : surplus(newestFirst)) {
            remove(name);
        }
    }

    private void remove(CheckpointName name) throws IOException {
        Removal.file(files, new Path(folder, name.commit())); // first: an object always has its folder
        removeFolder(name);
        verified.remove(name);
    }

    private void removeFolder(CheckpointName name) throws IOException {
        Removal.folder(
                files,
                new Path(folder, name.folder()),
                file -> file.equals(STATE_FILE) || CheckpointDraft.isPart(file));
    }

    /** Removes folders and objects that never became a checkpoint. A listing may be incomplete, so the object itself is asked for. */
    private void removeOrphans(List<String> listed) throws IOException {
        List<CheckpointName> folders = listed.stream()
                .flatMap(name -> CheckpointName.parse(name).stream())
                .filter(name -> name.attempt() <= ownership.attempt() && !verified.contains(name))
                .filter(name -> !listed.contains(name.commit()))
                .toList();
        for (CheckpointName name : folders) {
            if (!files.exists(new Path(folder, name.commit()))) {
                removeFolder(name);
            }
        }

        for (String name : listed) {
            if (isUnfinishedCommit(name)) {
                Removal.file(files, new Path(folder, name));
            }
        }
    }

    private boolean isUnfinishedCommit(String name) {
        return WholeFile.targetOf(name)
                .flatMap(CheckpointName::parseCommit)
                .filter(target -> target.attempt() <= ownership.attempt())
                .isPresent();
    }

    private List<CheckpointName> surplus(List<CheckpointName> newestFirst) {
        int good = 0;
        int seen = 0;
        while (seen < newestFirst.size() && good < keep) {
            good += isGood(newestFirst.get(seen)) ? 1 : 0;
            seen++;
        }

        return newestFirst.subList(seen, newestFirst.size());
    }

    private boolean isGood(CheckpointName name) {
        if (verified.contains(name)) {
            return true;
        }

        try {
            stored.commit(name, StoredFile::verify);
            return verified.add(name);
        } catch (IOException | BadInputException e) {
            return false; // kept, but not counted; a reader will say why
        }
    }
}
