package org.sparkqlora.cli;

import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.AccessDeniedException;
import java.util.UUID;
import org.apache.hadoop.fs.FileAlreadyExistsException;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.ParentNotDirectoryException;
import org.apache.hadoop.fs.Path;
import org.apache.hadoop.security.AccessControlException;
import org.sparkqlora.input.BadInputException;

/**
 * A folder that a command fills. Until there is something worth keeping in it, closing removes what this process made: a command
 * that fails on its input leaves nothing behind.
 */
final class OutputFolder implements AutoCloseable {
    private final Location location;
    private final FileSystem files;
    private final Path firstMade;
    private final boolean existed;
    private boolean kept;

    private OutputFolder(Location location, FileSystem files) throws IOException {
        this.location = location;
        this.files = files;
        this.firstMade = highestMissing(files, location.path());
        this.existed = files.exists(location.path());
    }

    /** Makes the folder, if it is not there, and makes sure that it can be written. */
    static OutputFolder open(Location location) {
        FileSystem files = location.files();
        try {
            OutputFolder output = new OutputFolder(location, files);
            output.makeWritable();
            return output;
        } catch (IOException e) {
            if (!isRefusal(e)) {
                throw new UncheckedIOException("Failed to open output folder " + location, e);
            }

            throw new BadInputException(
                    "Cannot write to %s: expected a folder that this user may write, found %s"
                            .formatted(location, reason(e)),
                    e);
        }
    }

    Location location() {
        return location;
    }

    /** A part of it as Hadoop calls it. */
    String pathOf(String name) {
        return resolve(name).path().toString();
    }

    Location resolve(String name) {
        return location.resolve(name);
    }

    /** From now on the folder stays, whatever happens. */
    void keep() {
        kept = true;
    }

    @Override
    public void close() {
        if (kept || existed) {
            return;
        }

        try {
            files.delete(firstMade, true);
        } catch (IOException e) {
            throw new UncheckedIOException("Failed to remove " + firstMade, e);
        }
    }

    private void makeWritable() throws IOException {
        try {
            if (!files.mkdirs(location.path())) {
                throw new AccessControlException("no permission to make it");
            }

            Path probe = new Path(location.path(), ".writable-" + UUID.randomUUID());
            files.create(probe, false).close();
            files.delete(probe, false);
        } catch (IOException e) {
            closeAfter(e);
            throw e;
        }
    }

    private void closeAfter(IOException first) {
        try {
            close();
        } catch (UncheckedIOException second) {
            first.addSuppressed(second);
        }
    }

    private static Path highestMissing(FileSystem files, Path folder) throws IOException {
        Path missing = folder;
        for (Path at = folder; at != null && !files.exists(at); at = at.getParent()) {
            missing = at;
        }

        return missing;
    }

    /** Whether the store has answered, and the same command would get the same answer. */
    private static boolean isRefusal(IOException e) {
        return e instanceof AccessControlException
                || e instanceof AccessDeniedException
                || e instanceof FileAlreadyExistsException
                || e instanceof ParentNotDirectoryException
                || e instanceof FileNotFoundException;
    }

    private static String reason(IOException e) {
        return e instanceof FileAlreadyExistsException || e instanceof ParentNotDirectoryException
                ? "a file"
                : String.valueOf(e.getMessage()).lines().findFirst().orElse("no permission");
    }
}
