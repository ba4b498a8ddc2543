package org.sparkqlora.run.output;

import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.FileSystemException;
import java.util.UUID;
import java.util.stream.Stream;
import org.apache.hadoop.fs.FileAlreadyExistsException;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.ParentNotDirectoryException;
import org.apache.hadoop.fs.Path;
import org.apache.hadoop.security.AccessControlException;
import org.sparkqlora.input.BadInputException;
import org.sparkqlora.spark.cluster.Location;
import org.sparkqlora.storage.CreatedFiles;
import org.sparkqlora.storage.DiskRoom;
import org.sparkqlora.storage.Removal;
import org.sparkqlora.storage.Unfinished;

/**
 * A folder that a command fills. Until there is something worth keeping in it, closing removes the files that this process has noted
 * as its own, and the folders that it made, where nobody else has put anything into them: a command that fails on its input leaves
 * nothing behind.
 */
public final class OutputFolder implements AutoCloseable {
    private final Location location;
    private final FileSystem files;
    private final CreatedFiles created;
    private final Unfinished begun;
    private boolean kept;

    private OutputFolder(Location location) throws IOException {
        this.location = location;
        this.files = location.files();
        this.created = new CreatedFiles(files);
        this.begun = created.begin();
    }

    /** Makes the folder, if it is not there, and makes sure that it can be written. */
    public static OutputFolder open(Location location) {
        try {
            OutputFolder output = new OutputFolder(location);
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

    public Location location() {
        return location;
    }

    public Location resolve(String name) {
        return location.resolve(name);
    }

    /** Notes a folder that this process is about to make; false if it is there already, and so is not its own. */
    public boolean noteFolder(String name) {
        try {
            return created.noteMissing(resolve(name).path());
        } catch (IOException e) {
            throw new UncheckedIOException("Failed to look into " + location, e);
        }
    }

    /** Notes a file that this process has made. */
    public void noteFile(Location file) {
        created.note(file.path());
    }

    /** From now on the folder stays, whatever happens. */
    void keep() {
        kept = true;
        begun.close();
    }

    @Override
    public void close() {
        try (begun) {
            if (!kept && !new EarlierRun(location).hasBegun()) { // another driver may go on with what lies here
                created.remove();
            }
        } catch (IOException e) {
            throw new UncheckedIOException("Failed to remove what was begun in " + location, e);
        }
    }

    private void makeWritable() throws IOException {
        try {
            if (!created.createFolder(location.path())) {
                throw new AccessControlException("no permission to make it");
            }

            Path probe = new Path(location.path(), ".writable-" + UUID.randomUUID());
            files.create(probe, false).close();
            Removal.file(files, probe);
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

    /** Whether the store has answered, and the same command would get the same answer. */
    private static boolean isRefusal(IOException e) {
        boolean isAnswer = e instanceof AccessControlException
                || e instanceof FileSystemException
                || e instanceof FileAlreadyExistsException
                || e instanceof ParentNotDirectoryException
                || e instanceof FileNotFoundException;
        return isAnswer && !DiskRoom.isShort(e);
    }

    private static String reason(IOException e) {
        if (e instanceof FileAlreadyExistsException || e instanceof ParentNotDirectoryException) {
            return "a file";
        }

        String reason = e instanceof FileSystemException local ? local.getReason() : e.getMessage();
        return Stream.ofNullable(reason).flatMap(String::lines).findFirst().orElse("no permission");
    }
}
