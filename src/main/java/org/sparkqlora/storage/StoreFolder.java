package org.sparkqlora.storage;

import java.io.EOFException;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.concurrent.ExecutionException;
import org.apache.hadoop.fs.FSDataInputStream;
import org.apache.hadoop.fs.FileStatus;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;

/** A folder on any Hadoop file system. */
public record StoreFolder(FileSystem files, Path folder) implements FolderFiles {
    @Override
    public SortedMap<String, Long> lengths() throws IOException {
        SortedMap<String, Long> lengths = new TreeMap<>();
        for (FileStatus file : files.listStatus(folder)) {
            if (file.isFile()) {
                lengths.put(file.getPath().getName(), file.getLen());
            }
        }

        return lengths;
    }

    @Override
    public byte[] read(String name, long from, int count) throws IOException {
        byte[] bytes = new byte[count];
        try (FSDataInputStream in = open(new Path(folder, name))) {
            in.readFully(from, bytes);
        } catch (EOFException e) {
            throw new IOException(
                    "Failed to read %s: expected %d bytes from byte %d on, found the end of the file"
                            .formatted(address(name), count, from),
                    e);
        }

        return bytes;
    }

    @Override
    public String address(String name) {
        return new Path(folder, name).toString();
    }

    /** For reads of a range each: S3A would else ask for all that follows, and throw it away. */
    private FSDataInputStream open(Path file) throws IOException {
        try {
            return files.openFile(file)
                    .opt("fs.option.openfile.read.policy", "random")
                    .opt("fs.s3a.experimental.input.fadvise", "random") // the name of older versions
                    .build()
                    .get();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw (IOException) new InterruptedIOException("interrupted while opening " + file).initCause(e);
        } catch (ExecutionException e) {
            throw e.getCause() instanceof IOException cause ? cause : new IOException("Failed to open " + file, e);
        }
    }
}
