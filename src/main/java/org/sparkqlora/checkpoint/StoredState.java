package org.sparkqlora.checkpoint;

import java.io.BufferedInputStream;
import java.io.DataInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.Serializable;
import java.io.UncheckedIOException;
import java.util.List;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;
import org.sparkqlora.storage.JoinedStreams;
import org.sparkqlora.storage.StoredFile;

/**
 * The state of a checkpoint, which any process reads that sees its folder.
 *
 * @param folder URI of the checkpoint's folder
 * @param files of the state, one after the other
 */
public record StoredState(String folder, List<StoredFile> files) implements Serializable {
    private static final long serialVersionUID = 1L;
    private static final int BUFFER = 1 << 16;

    public StoredState {
        files = List.copyOf(files);
    }

    /** Count of the state's bytes. */
    public long bytes() {
        return files.stream().mapToLong(StoredFile::bytes).sum();
    }

    /**
     * The state's bytes, in one file or in parts, each opened when it is reached. A file that has changed since it was written fails with its
     * last byte. The caller closes them.
     */
    public DataInputStream open(Configuration configuration) throws IOException {
        return open(CheckpointDraft.files(new Path(folder), configuration));
    }

    /** As {@link #open(Configuration)}, on the folder's file system. */
    DataInputStream open(FileSystem system) {
        Path parent = new Path(folder);
        InputStream parts = new JoinedStreams(
                files.stream().map(file -> open(file, system, parent)).iterator());
        return new DataInputStream(new BufferedInputStream(parts, BUFFER));
    }

    private static InputStream open(StoredFile file, FileSystem system, Path parent) {
        try {
            return file.openVerified(system, parent);
        } catch (IOException e) {
            throw new UncheckedIOException("Failed to open " + new Path(parent, file.name()), e);
        }
    }
}
