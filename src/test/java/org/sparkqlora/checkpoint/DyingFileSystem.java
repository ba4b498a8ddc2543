package org.sparkqlora.checkpoint;

import java.io.FilterOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import org.apache.hadoop.fs.FSDataInputStream;
import org.apache.hadoop.fs.FSDataOutputStream;
import org.apache.hadoop.fs.FileStatus;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.FilterFileSystem;
import org.apache.hadoop.fs.Path;
import org.apache.hadoop.fs.permission.FsPermission;
import org.apache.hadoop.util.Progressable;

/** A file system whose process is killed at its n-th change: that change and all that follows never happens. */
final class DyingFileSystem extends FilterFileSystem {
    private int changesLeft;

    DyingFileSystem(FileSystem files, int changes) {
        super(files);
        this.changesLeft = changes;
    }

    boolean dead() {
        return changesLeft < 0;
    }

    @Override
    public FSDataOutputStream create(
            Path file,
            FsPermission permission,
            boolean overwrite,
            int bufferSize,
            short replication,
            long blockSize,
            Progressable progress)
            throws IOException {
        change();
        return new FSDataOutputStream(
                new DyingStream(super.create(file, permission, overwrite, 1, replication, blockSize, progress)), null);
    }

    @Override
    public boolean rename(Path from, Path to) throws IOException {
        change();
        return super.rename(from, to);
    }

    @Override
    public boolean delete(Path path, boolean recursive) throws IOException {
        change();
        return super.delete(path, recursive);
    }

    @Override
    public FSDataInputStream open(Path file, int bufferSize) throws IOException {
        requireAlive();
        return super.open(file, bufferSize);
    }

    @Override
    public FileStatus getFileStatus(Path path) throws IOException {
        requireAlive();
        return super.getFileStatus(path);
    }

    @Override
    public FileStatus[] listStatus(Path path) throws IOException {
        requireAlive();
        return super.listStatus(path);
    }

    private void change() throws IOException {
        requireAlive();
        changesLeft--;
        requireAlive();
    }

    private void requireAlive() throws IOException {
        if (dead()) {
            throw new IOException("killed");
        }
    }

    private final class DyingStream extends FilterOutputStream {
        private DyingStream(OutputStream out) {
            super(out);
        }

        @Override
        public void write(byte[] bytes, int from, int count) throws IOException {
            change();
            out.write(bytes, from, count / 2); // a kill may come in the middle
            out.flush();
            change();
            out.write(bytes, from + count / 2, count - count / 2);
        }

        @Override
        public void close() throws IOException {
            change();
            super.close();
        }
    }
}
