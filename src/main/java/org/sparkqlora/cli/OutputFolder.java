package org.sparkqlora.cli;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;

/**
 * A folder that a command fills. Until there is something worth keeping in it, closing removes what this process made: a command
 * that fails on its input leaves nothing behind.
 */
final class OutputFolder implements AutoCloseable {
    private final Path folder;
    private final Path firstMade;
    private final boolean existed;
    private boolean kept;

    private OutputFolder(Path folder, Path firstMade, boolean existed) {
        this.folder = folder;
        this.firstMade = firstMade;
        this.existed = existed;
    }

    /** Makes the folder, if it is not there, and makes sure that it can be written. */
    static OutputFolder open(Path folder) {
        Path absolute = folder.toAbsolutePath().normalize();
        OutputFolder output = new OutputFolder(absolute, highestMissing(absolute), Files.isDirectory(absolute));
        try {
            Files.createDirectories(absolute);
            Files.delete(Files.createTempFile(absolute, ".writable", ""));
        } catch (IOException e) {
            output.close();
            throw new IllegalArgumentException(
                    "Cannot write to %s: expected a folder that this user may write, found %s"
                            .formatted(folder, reason(e)),
                    e);
        }

        return output;
    }

    /** A part of it as Hadoop calls it. */
    String location(String name) {
        return LocalFiles.path(folder.resolve(name)).toString();
    }

    Path resolve(String name) {
        return folder.resolve(name);
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
            delete(firstMade);
        } catch (IOException e) {
            throw new UncheckedIOException("Failed to remove " + firstMade, e);
        }
    }

    /** Deletes a file or a folder with all in it, if it is there. */
    static void delete(Path path) throws IOException {
        if (!Files.exists(path)) {
            return;
        }

        for (Path inside : tree(path)) {
            Files.delete(inside);
        }
    }

    private static List<Path> tree(Path root) throws IOException {
        try (Stream<Path> paths = Files.walk(root)) {
            return paths.sorted(Comparator.reverseOrder()).toList();
        }
    }

    private static Path highestMissing(Path folder) {
        Path missing = folder;
        for (Path at = folder; at != null && !Files.exists(at); at = at.getParent()) {
            missing = at;
        }

        return missing;
    }

    private static String reason(IOException e) {
        if (e instanceof AccessDeniedException) {
            return "no permission";
        }

        return e instanceof FileSystemException failed && failed.getReason() != null
                ? failed.getReason()
                : String.valueOf(e.getMessage());
    }
}
