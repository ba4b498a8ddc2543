package org.sparkqlora.checkpoint;

import java.io.FileNotFoundException;
import java.io.FilterOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.util.Arrays;
import org.apache.hadoop.fs.FSDataInputStream;
import org.apache.hadoop.fs.FSDataOutputStream;
import org.apache.hadoop.fs.FileStatus;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.FilterFileSystem;
import org.apache.hadoop.fs.Path;
import org.apache.hadoop.fs.permission.FsPermission;
import org.apache.hadoop.util.Progressable;
import org.jspecify.annotations.Nullable;

/** A file system of which one operation, counted from 0 over all kinds, goes wrong. All others do as they are told. */
final class FaultyFileSystem extends FilterFileSystem {
    private final int faultyOperation;
    private final @Nullable Fault fault;
    private final Runnable before;
    private int operations;

    private FaultyFileSystem(FileSystem files, int faultyOperation, @Nullable Fault fault, Runnable before) {
        super(files);
        this.faultyOperation = faultyOperation;
        this.fault = fault;
        this.before = before;
    }

    static FaultyFileSystem at(int operation, Fault fault, FileSystem files) {
        return new FaultyFileSystem(files, operation, fault, () -> {});
    }

    /** One that does as it is told, but something else happens right before its n-th operation. */
    static FaultyFileSystem interruptedAt(int operation, Runnable event, FileSystem files) {
        return new FaultyFileSystem(files, operation, null, event);
    }

    /** The operation itself. */
    enum Fault {
        /** It does nothing and says so. */
        THROWS,
        /** It is done, but the answer gets lost. */
        THROWS_WHEN_DONE,
        /** It does nothing and says that all went well; what is there is not found. */
        LIES,
        /** It does half of it and says that all went well. */
        DOES_HALF
    }

    /** Whether there was such an operation. */
    boolean happened() {
        return operations > faultyOperation;
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
        boolean faulty = begin();
        if (faulty && fault == Fault.LIES) {
            return new FSDataOutputStream(OutputStream.nullOutputStream(), null);
        }

        OutputStream out = super.create(file, permission, overwrite, 1, replication, blockSize, progress);
        end(faulty);
        return new FSDataOutputStream(new FaultyStream(out, file), null);
    }

    @Override
    public boolean rename(Path from, Path to) throws IOException {
        boolean faulty = begin();
        boolean done = faulty && fault == Fault.LIES || super.rename(from, to);
        end(faulty);
        return done;
    }

    @Override
    public boolean delete(Path path, boolean recursive) throws IOException {
        boolean faulty = begin();
        boolean done = faulty && fault == Fault.LIES || super.delete(path, recursive);
        end(faulty);
        return done;
    }

    @Override
    public FSDataInputStream open(Path file, int bufferSize) throws IOException {
        requireFound(begin(), file);
        return super.open(file, bufferSize);
    }

    @Override
    public FileStatus getFileStatus(Path path) throws IOException {
        requireFound(begin(), path);
        return super.getFileStatus(path);
    }

    @Override
    public FileStatus[] listStatus(Path path) throws IOException {
        boolean faulty = begin();
        FileStatus[] found = super.listStatus(path);
        end(faulty);
        if (!faulty) {
            return found;
        }

        Arrays.sort(found);
        return Arrays.copyOf(found, fault == Fault.LIES ? 0 : (found.length + 1) / 2);
    }

    private boolean begin() throws IOException {
        boolean reached = operations == faultyOperation;
        operations++;
        if (!reached) {
            return false;
        }

        before.run();
        if (fault == Fault.THROWS) {
            throw new IOException("connection refused");
        }

        return fault != null;
    }

    private void end(boolean faulty) throws IOException {
        if (faulty && fault == Fault.THROWS_WHEN_DONE) {
            throw new IOException("connection reset");
        }
    }

    private void requireFound(boolean faulty, Path path) throws IOException {
        end(faulty);
        if (faulty) {
            throw new FileNotFoundException(path + " is not found yet");
        }
    }

    private final class FaultyStream extends FilterOutputStream {
        private final Path file;

        private FaultyStream(OutputStream out, Path file) {
            super(out);
            this.file = file;
        }

        @Override
        public void write(byte[] bytes, int from, int count) throws IOException {
            boolean faulty = begin();
            out.write(bytes, from, faulty ? part(count) : count);
            end(faulty);
        }

        private int part(int count) {
            if (fault == Fault.LIES) {
                return 0;
            }

            return fault == Fault.DOES_HALF ? count / 2 : count;
        }

        @Override
        public void close() throws IOException {
            out.close();
            boolean faulty = begin();
            end(faulty);
            if (faulty) {
                fs.delete(file, false); // an object that was never stored
            }
        }
    }
}
