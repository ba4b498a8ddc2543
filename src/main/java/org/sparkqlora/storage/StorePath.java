package org.sparkqlora.storage;

import java.io.IOException;
import java.nio.file.AccessDeniedException;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;
import org.apache.hadoop.fs.UnsupportedFileSystemException;
import org.apache.hadoop.security.AccessControlException;
import org.sparkqlora.input.BadInputException;

/** Paths on Hadoop's file systems as people give them: what is wrong with them is bad input, and a store that stumbles is not. */
public final class StorePath {
    private StorePath() {}

    public static Path parse(String text) {
        try {
            return new Path(text);
        } catch (IllegalArgumentException e) {
            throw new BadInputException(
                    "Cannot open %s: expected a path or the URI of one, found neither (%s)"
                            .formatted(text, e.getMessage()),
                    e);
        }
    }

    /** The file system of a path. */
    public static FileSystem files(Path path, Configuration configuration) throws IOException {
        try {
            return path.getFileSystem(configuration);
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
