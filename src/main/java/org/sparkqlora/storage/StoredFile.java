package org.sparkqlora.storage;

import java.io.BufferedOutputStream;
import java.io.DataOutputStream;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.Serializable;
import java.security.DigestOutputStream;
import java.security.MessageDigest;
import org.apache.hadoop.fs.CommonPathCapabilities;
import org.apache.hadoop.fs.FSDataOutputStream;
import org.apache.hadoop.fs.FSError;
import org.apache.hadoop.fs.FileStatus;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;
import org.apache.hadoop.fs.StreamCapabilities;

/**
 * A file as it was written.
 *
 * @param name its name in its folder
 * @param bytes its length
 * @param sha256 hash of its content, in hex digits
 */
public record StoredFile(String name, long bytes, String sha256) implements Serializable {
    private static final int BUFFER = 1 << 16;

    /** Writes a file that must not exist, and reads it back. */
    public static StoredFile write(FileSystem files, Path file, BlobWriter content) throws IOException {
        MessageDigest digest = Sha256.digest();
        long bytes;
        try (FSDataOutputStream raw = files.create(file, false)) {
            writeOrAbort(raw, new DigestOutputStream(raw, digest), content);
            bytes = raw.getPos();
            if (raw.hasCapability(StreamCapabilities.HSYNC)) {
                raw.hsync(); // object stores cannot: there the file exists once it is closed
            }
        } catch (FSError e) { // of a local disk, such as one that is full
            throw e.getCause() instanceof IOException reason ? reason : new IOException(e);
        }

        StoredFile stored = new StoredFile(file.getName(), bytes, Sha256.hex(digest));
        stored.verify(files, file.getParent());
        return stored;
    }

    /**
     * Writes {@code content} to {@code out}, and to {@code raw} behind it, which stays open. A store that makes an object of what is closed
     * makes none of what is not whole.
     */
    static void writeOrAbort(FSDataOutputStream raw, OutputStream out, BlobWriter content) throws IOException {
        try {
            DataOutputStream buffered = new DataOutputStream(new BufferedOutputStream(out, BUFFER));
            content.write(buffered);
            buffered.flush();
        } catch (IOException | RuntimeException | Error e) {
            if (raw.hasCapability(CommonPathCapabilities.ABORTABLE_STREAM)) {
                raw.abort();
            }

            throw e;
        }
    }

    /** This content under another name. */
    public StoredFile named(String other) {
        return new StoredFile(other, bytes, sha256);
    }

    /**
     * Reads the file in {@code folder}.
     *
     * @throws FileNotFoundException when it is not there
     * @throws DamagedFileException when it is not what was written
     * @throws IOException when it cannot be told, since the store did not answer
     */
    public void verify(FileSystem files, Path folder) throws IOException {
        requireLength(files, folder);
        Path file = new Path(folder, name);
        requireHash(file, hash(files, file));
    }

    /** As {@link #verify}, of the length alone: nothing is read. */
    public void requireLength(FileSystem files, Path folder) throws IOException {
        Path file = new Path(folder, name);
        FileStatus status = files.getFileStatus(file);
        if (status.getLen() != bytes) {
            throw damaged(file, status.getLen());
        }
    }

    /** Its bytes in {@code folder}, the last of which fails with a {@link DamagedFileException} if they are not what was written. */
    public InputStream openVerified(FileSystem files, Path folder) throws IOException {
        Path file = new Path(folder, name);
        return new VerifiedStream(open(files, file), file, this);
    }

    DamagedFileException damaged(Path file, long found) {
        return new DamagedFileException("Cannot trust %s: expected %d bytes, found %d".formatted(file, bytes, found));
    }

    void requireHash(Path file, String found) throws DamagedFileException {
        if (!found.equals(sha256)) {
            throw new DamagedFileException(
                    "Cannot trust %s: expected SHA-256 %s, found %s".formatted(file, sha256, found));
        }
    }

    /** Whether {@code folder} has a file of this name and length. */
    public boolean isIn(FileSystem files, Path folder) throws IOException {
        try {
            return files.getFileStatus(new Path(folder, name)).getLen() == bytes;
        } catch (FileNotFoundException e) {
            return false;
        }
    }

    /** A file of {@code content}. */
    public static StoredFile of(String name, byte[] content) {
        return new StoredFile(name, content.length, Sha256.hex(content));
    }

    /** A file on this host. */
    public static StoredFile of(java.nio.file.Path file) throws IOException {
        return new StoredFile(file.getFileName().toString(), java.nio.file.Files.size(file), hash(file));
    }

    /** Hash of the content of a file on this host, in hex digits. */
    public static String hash(java.nio.file.Path file) throws IOException {
        return hash(LocalFiles.system(), LocalFiles.path(file));
    }

    /** Hash of a file's content, in hex digits. */
    public static String hash(FileSystem files, Path file) throws IOException {
        MessageDigest digest = Sha256.digest();
        byte[] buffer = new byte[BUFFER];
        try (InputStream in = open(files, file)) {
            for (int count = in.read(buffer); count >= 0; count = in.read(buffer)) {
                digest.update(buffer, 0, count);
            }
        }

        return Sha256.hex(digest);
    }

    /** Opens a file to read it. Only one that is not there is not found: a local one that may not be read would be, too. */
    public static InputStream open(FileSystem files, Path file) throws IOException {
        try {
            return files.open(file);
        } catch (FileNotFoundException e) {
            if (files.exists(file)) {
                throw new IOException("Failed to open %s, which is there. May this user read it?".formatted(file), e);
            }

            throw e;
        }
    }
}
