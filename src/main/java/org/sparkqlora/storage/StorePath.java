package org.sparkqlora.storage;

import java.io.FileNotFoundException;
import java.io.IOException;
import java.net.URISyntaxException;
import java.nio.file.AccessDeniedException;
import java.util.List;
import java.util.regex.Pattern;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileStatus;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.LocalFileSystem;
import org.apache.hadoop.fs.Path;
import org.apache.hadoop.fs.UnsupportedFileSystemException;
import org.apache.hadoop.security.AccessControlException;
import org.sparkqlora.input.BadInputException;

/** Paths on Hadoop's file systems as people give them: what is wrong with them is bad input, and a store that stumbles is not. */
public final class StorePath {
    /** The message of Hadoop for a glob that it does not understand. */
    private static final String BAD_GLOB = "Illegal file pattern: ";

    /** The setting that names a file system for files of this host. */
    private static final String HOST = "fs.file.impl";

    /** The file in which Hadoop keeps the checksums of another. */
    private static final Pattern CHECKSUMS = Pattern.compile("^\\.(.+)\\.crc$");

    private StorePath() {}

    public static Path parse(String text) {
        try {
            return new Path(text);
        } catch (IllegalArgumentException e) {
            Throwable reason = e.getCause() == null ? e : e.getCause();
            throw new BadInputException(
                    "Cannot open %s: expected a path or the URI of one, found neither (%s)"
                            .formatted(text, reason.getMessage()),
                    e);
        }
    }

    /** The file system of a path. That of this host is ours in place of Hadoop's, unless the configuration names another, as Databricks does. */
    public static FileSystem files(Path path, Configuration configuration) throws IOException {
        try {
            FileSystem files = path.getFileSystem(configuration);
            return isDefaultLocal(files, configuration) ? LocalFiles.withChecksums(configuration) : files;
        } catch (UnsupportedFileSystemException e) {
            throw unknown(path, e);
        } catch (RuntimeException e) {
            if (e.getCause() instanceof ClassNotFoundException) {
                throw unknown(path, e);
            }

            if (!(e instanceof IllegalArgumentException) || e.getCause() instanceof IOException) {
                throw e; // such as a host that is not found, and may be found later
            }

            throw new BadInputException("Cannot open %s: %s".formatted(path, e.getMessage()), e);
        }
    }

    /** Hadoop's local file system, or Hive's subclass, which is the default if hive-exec comes later on the class path. Its rename replaces no file. */
    private static boolean isDefaultLocal(FileSystem files, Configuration configuration) {
        return files.getClass() == LocalFileSystem.class
                || files instanceof LocalFileSystem && configuration.get(HOST) == null;
    }

    /** What is in {@code folder}; nothing if it does not exist. */
    public static List<FileStatus> content(FileSystem files, Path folder) throws IOException {
        try {
            return List.of(files.listStatus(folder));
        } catch (FileNotFoundException e) {
            return List.of();
        }
    }

    /** The names in {@code folder}; none if it does not exist. */
    public static List<String> names(FileSystem files, Path folder) throws IOException {
        return content(files, folder).stream()
                .map(entry -> entry.getPath().getName())
                .toList();
    }

    /** The files and folders that a path or a glob matches; none if there is no match. */
    public static List<FileStatus> matches(Path glob, FileSystem files) throws IOException {
        try {
            FileStatus[] matches = files.globStatus(glob);
            return matches == null ? List.of() : List.of(matches);
        } catch (IllegalArgumentException e) {
            throw refused(glob, e);
        } catch (IOException e) {
            String reason = String.valueOf(e.getMessage());
            if (!reason.startsWith(BAD_GLOB)) {
                throw e;
            }

            throw new BadInputException(
                    "Cannot open %s: expected a path or a glob, found an error in the glob (%s). A \\ before a sign takes it as it is"
                            .formatted(glob, reason.substring(BAD_GLOB.length())),
                    e);
        }
    }

    /** What to throw for {@code e} of a listing of {@code place}: Hadoop cannot list a file with a colon in its name. */
    public static RuntimeException refused(Object place, IllegalArgumentException e) {
        if (!(e.getCause() instanceof URISyntaxException reason)) {
            return e;
        }

        return new BadInputException(
                "Cannot open %s: expected names without a colon, which no path of Hadoop's has, found %s. Rename it"
                        .formatted(place, CHECKSUMS.matcher(reason.getInput()).replaceFirst("$1")),
                e);
    }

    /** Whether the store has answered that this user may not: the same command would get the same answer. */
    public static boolean isDenied(IOException e) {
        return e instanceof AccessControlException
                || e instanceof AccessDeniedException
                || String.valueOf(e.getMessage())
                        .endsWith("(Permission denied)"); // of a local file, "not found" says it so
    }

    private static BadInputException unknown(Path path, Exception reason) {
        return new BadInputException(
                "Cannot open %s: expected a Hadoop file system for %s: on the class path, found none. Name its jar with --jars or --packages of spark-submit"
                        .formatted(path, path.toUri().getScheme()),
                reason);
    }
}
