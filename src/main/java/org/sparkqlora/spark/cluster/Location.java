package org.sparkqlora.spark.cluster;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.InvalidPathException;
import java.util.Optional;
import java.util.regex.Pattern;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;
import org.sparkqlora.input.BadInputException;
import org.sparkqlora.input.BoundedText;
import org.sparkqlora.input.FileNames;
import org.sparkqlora.input.InputLimits;
import org.sparkqlora.storage.LocalFiles;
import org.sparkqlora.storage.StorePath;
import org.sparkqlora.storage.WholeFile;

/**
 * A file or folder as a command line names it: a URI of any Hadoop file system, such as {@code hdfs://host/a} or
 * {@code s3a://bucket/a}, or a path on this host.
 *
 * @param path absolute, with its scheme
 */
public record Location(Path path) {
    /** Longer than a drive letter. */
    private static final Pattern URI = Pattern.compile("[A-Za-z][A-Za-z0-9+.-]+:.*");

    public static Location parse(String text) {
        if (text.isBlank()) {
            throw new BadInputException("expected a path, found an empty text");
        }

        FileNames.ofProcess().requireWritable(text);
        return URI.matcher(text).matches() ? new Location(StorePath.parse(text)) : of(localPath(text));
    }

    private static java.nio.file.Path localPath(String text) {
        try {
            return java.nio.file.Path.of(text);
        } catch (InvalidPathException e) {
            throw new BadInputException("expected a path, found %s (%s)".formatted(text, e.getReason()), e);
        }
    }

    public static Location of(java.nio.file.Path local) {
        return new Location(LocalFiles.path(local));
    }

    public boolean isLocal() {
        return LocalFiles.SCHEME.equals(path.toUri().getScheme());
    }

    /** The path on this host, for one that {@link #isLocal()}. */
    public java.nio.file.Path local() {
        return java.nio.file.Path.of(path.toUri().getPath());
    }

    public Location resolve(String name) {
        return new Location(new Path(path, name));
    }

    /** Its file system. */
    public FileSystem files() {
        if (isLocal()) {
            return LocalFiles.system();
        }

        try {
            return StorePath.files(path, CurrentSession.hadoop());
        } catch (IOException e) {
            throw new UncheckedIOException("Failed to open the file system of " + path, e);
        }
    }

    /** With the scheme and the authority that its file system has. */
    public Path qualified() {
        return files().makeQualified(path);
    }

    /** Whether there is anything. */
    public boolean exists() {
        try {
            return files().exists(path);
        } catch (IOException e) {
            throw new UncheckedIOException("Failed to look for " + this, e);
        }
    }

    /** The text of a document that an earlier run wrote; nothing if it is not there. */
    public Optional<String> text() {
        return text(InputLimits.DEFAULT.documentBytes());
    }

    /** The text of a file of at most {@code mostBytes}; nothing if it is not there. */
    public Optional<String> text(int mostBytes) {
        FileSystem files = files();
        try {
            return files.exists(path) ? Optional.of(read(files, mostBytes)) : Optional.empty();
        } catch (IOException e) {
            if (isFolder(files)) {
                throw new BadInputException("Cannot read %s: expected a file, found a folder".formatted(this), e);
            }

            throw new UncheckedIOException("Failed to read " + this, e);
        }
    }

    private boolean isFolder(FileSystem files) {
        try {
            return files.getFileStatus(path).isDirectory();
        } catch (IOException e) {
            return false; // what failed before is told
        }
    }

    /** Gives a small file a new content, whole: see {@link WholeFile}. */
    public void replaceText(String text) {
        try {
            WholeFile.replace(files(), path, text.getBytes(StandardCharsets.UTF_8));
        } catch (IOException e) {
            throw new UncheckedIOException("Failed to write " + this, e);
        }
    }

    /** As people write it: a plain path when it is on this host. */
    @Override
    public String toString() {
        return isLocal() ? local().toString() : path.toString();
    }

    private String read(FileSystem files, int mostBytes) throws IOException {
        try (InputStream in = files.open(path)) {
            return BoundedText.read(in, mostBytes, this);
        }
    }
}
