package org.sparkqlora.run.output;

import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.Predicate;
import org.apache.hadoop.fs.FileSystem;
import org.sparkqlora.checkpoint.AdapterFolder;
import org.sparkqlora.checkpoint.CheckpointStore;
import org.sparkqlora.checkpoint.FullModelFolder;
import org.sparkqlora.input.BadInputException;
import org.sparkqlora.spark.cluster.Location;
import org.sparkqlora.storage.Removal;

/**
 * The files that a run of another plan left in an output folder. They are removed one by one, by the names that a run gives: what somebody else
 * has put beside them stays. So do prepared rows and first adapters, which the next run replaces or uses, and the claims of drivers.
 */
public final class EarlierRun {
    private static final List<String> FILES =
            List.of(RunFiles.PLAN, RunFiles.METRICS, RunFiles.SAMPLES, RunFiles.REPORT);

    private static final List<String> OWNED =
            List.of(RunFiles.CHECKPOINTS, RunFiles.BEST, RunFiles.ADAPTER, RunFiles.MODEL);

    private final Location output;
    private final FileSystem files;

    public EarlierRun(Location output) {
        this.output = output;
        this.files = output.files();
    }

    /** The names of what {@link #remove} removes, or removes files from. */
    public List<String> parts() {
        List<String> parts = new ArrayList<>(FILES);
        parts.addAll(OWNED);
        parts.removeIf(name -> !output.resolve(name).exists());
        return parts;
    }

    /** Whether a run has begun here: it claims its checkpoints, and then writes its plan. */
    boolean hasBegun() {
        return hasPlan() || isClaimed(RunFiles.CHECKPOINTS);
    }

    /** Throws an error if a run would replace folders that none has made: there is no plan, and none has claimed them. */
    public void requireOwn() {
        if (hasPlan()) {
            return;
        }

        List<String> foreign = OWNED.stream().filter(this::isForeign).toList();
        if (!foreign.isEmpty()) {
            throw new BadInputException(
                    "Cannot write to %s: expected no %s without the %s of a run beside it, found one. Choose another --output, or --overwrite it"
                            .formatted(output, String.join(", ", foreign), RunFiles.PLAN));
        }
    }

    /** Removes it, where there is any. */
    public void remove() {
        for (String name : List.of(RunFiles.CHECKPOINTS, RunFiles.BEST)) {
            new CheckpointStore(files, output.resolve(name).path(), CheckpointStore.FEWEST_KEPT).clear();
        }

        try {
            remove(RunFiles.ADAPTER, AdapterFolder::isPart);
            remove(RunFiles.MODEL, FullModelFolder::isPart);
            for (String name : FILES) {
                Removal.file(files, output.resolve(name).path());
            }
        } catch (IOException e) {
            throw new UncheckedIOException("Failed to remove the earlier run in " + output, e);
        }
    }

    private void remove(String folder, Predicate<String> layout) throws IOException {
        Removal.folder(files, output.resolve(folder).path(), layout);
    }

    private boolean hasPlan() {
        return output.resolve(RunFiles.PLAN).exists();
    }

    private boolean isForeign(String folder) {
        return !names(folder).isEmpty() && !isClaimed(folder);
    }

    private boolean isClaimed(String folder) {
        return names(folder).stream().anyMatch(CheckpointStore::isClaim);
    }

    /** The names in a folder; none if it is not there. */
    private List<String> names(String folder) {
        try {
            return Arrays.stream(files.listStatus(output.resolve(folder).path()))
                    .map(entry -> entry.getPath().getName())
                    .toList();
        } catch (FileNotFoundException e) {
            return List.of();
        } catch (IOException e) {
            throw new UncheckedIOException("Failed to look into %s of %s".formatted(folder, output), e);
        }
    }
}
