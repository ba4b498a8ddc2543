package org.sparkqlora.checkpoint;

import java.io.BufferedInputStream;
import java.io.DataInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.List;
import java.util.Map;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;
import org.sparkqlora.storage.JoinedStreams;

/** A checkpoint whose files were read and found to be as written. */
public final class Checkpoint {
    private static final int BUFFER = 1 << 16;

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

    /** The state as it was written, in one file or in parts, each opened when it is reached. The caller closes it. */
    public DataInputStream openState() {
        InputStream parts = new JoinedStreams(commit.files().stream()
                .map(part -> open(new Path(folder, part.name())))
                .iterator());
        return new DataInputStream(new BufferedInputStream(parts, BUFFER));
    }

    private InputStream open(Path file) {
        try {
            return files.open(file);
        } catch (IOException e) {
            throw new UncheckedIOException("Failed to open " + file, e);
        }
    }
}
