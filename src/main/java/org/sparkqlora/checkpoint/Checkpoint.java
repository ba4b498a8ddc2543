package org.sparkqlora.checkpoint;

import java.io.DataInputStream;
import java.util.List;
import java.util.Map;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;

/** A checkpoint that {@link CheckpointStore#newestGood} has read through, or whose lengths {@link CheckpointStore#newestByLength} has compared. */
public final class Checkpoint {
    private final FileSystem files;
    private final Path folder;
    private final Commit commit;
    private final List<String> skipped;

    Checkpoint(FileSystem files, Path folder, Commit commit, List<String> skipped) {
        this.files = files;
        this.folder = folder;
        this.commit = commit;
        this.skipped = List.copyOf(skipped);
    }

    public long step() {
        return commit.step();
    }

    /** The writer's note beside the state. */
    public Map<String, String> facts() {
        return commit.facts();
    }

    public Path folder() {
        return folder;
    }

    /** Why each newer checkpoint was not taken. */
    public List<String> skipped() {
        return skipped;
    }

    /** The state's files, for any process. */
    public StoredState stored() {
        return new StoredState(files.makeQualified(folder).toString(), commit.files());
    }

    /** The state as it was written, see {@link StoredState#open}. The caller closes it. */
    public DataInputStream openState() {
        return stored().open(files);
    }
}
