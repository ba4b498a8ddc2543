package org.sparkqlora.storage;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import java.util.UUID;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.sparkqlora.input.BadInputException;

/**
 * A folder that appears whole or not at all: it is filled under a temporary name beside its own, forced to disk, and renamed.
 * A process that dies leaves only a temporary folder.
 */
public final class NewFolder implements AutoCloseable {
    private static final String TEMPORARY = ".tmp-";

    private final Path target;
    private final Path temporary;
    private final Unfinished unfinished;
    private boolean committed;

    private NewFolder(Path target, Path temporary) throws IOException {
        this.target = target;
        this.temporary = temporary;
        this.unfinished = Unfinished.begin(() -> TemporaryFolder.delete(temporary));
    }

    /** Begins the folder {@code target}, which must not exist. */
    public static NewFolder begin(Path target) {
        if (Files.exists(target)) {
            throw new BadInputException(
                    "Cannot write %s: expected a folder that does not exist yet, found one".formatted(target));
        }

        Path temporary = target.resolveSibling(target.getFileName() + TEMPORARY + UUID.randomUUID());
        try {
            sweepAbandoned(target);
            NewFolder folder = new NewFolder(target, temporary);
            Files.createDirectories(temporary);
            return folder;
        } catch (IOException e) {
            throw new UncheckedIOException("Failed to create " + temporary, e);
        }
    }

    /** Removes what processes that died left of {@code target}. No one may be writing it. */
    public static void sweep(Path target) throws IOException {
        for (Path left : temporaryOf(target, "")) {
            TemporaryFolder.delete(left);
        }
    }

    /** As {@link #sweep}, where others may be writing it now; with folders of temporary files {@linkplain TemporaryFolder#beside beside} it. */
    private static void sweepAbandoned(Path target) throws IOException {
        for (Path left : temporaryOf(target, "\\.?")) {
            if (isAbandoned(left)) {
                TemporaryFolder.delete(left);
            }
        }
    }

    private static boolean isAbandoned(Path folder) {
        try {
            long newest = 0;
            for (Path each : TemporaryFolder.tree(folder)) {
                newest = Math.max(newest, Files.getLastModifiedTime(each).toMillis());
            }

            return newest < FreshFolder.abandonedSince();
        } catch (IOException | UncheckedIOException e) {
            return false; // somebody else has removed it, or given it its name
        }
    }

    private static List<Path> temporaryOf(Path target, String before) throws IOException {
        Path parent = target.resolveSibling(".");
        if (!Files.isDirectory(parent)) {
            return List.of();
        }

        Pattern form = Pattern.compile(before + Pattern.quote(target.getFileName() + TEMPORARY) + FreshFolder.UNIQUE);
        try (Stream<Path> siblings = Files.list(parent)) {
            return siblings.filter(path -> Files.isDirectory(path, LinkOption.NOFOLLOW_LINKS))
                    .filter(path -> form.matcher(path.getFileName().toString()).matches())
                    .toList();
        }
    }

    /** The folder to write the files to. */
    public Path path() {
        return temporary;
    }

    /** Forces every file to disk and gives the folder its name. */
    public void commit() {
        try {
            for (Path file : TemporaryFolder.tree(temporary)) {
                LocalFiles.force(file);
            }

            unfinished.keep();
            Files.move(temporary, target, StandardCopyOption.ATOMIC_MOVE);
            committed = true;
            LocalFiles.force(target.resolveSibling("."));
        } catch (IOException e) {
            if (!committed && Files.exists(target)) {
                throw new BadInputException(
                        "Cannot write %s: expected no such folder, as there was none at the start, found one that was made meanwhile. Choose another, or remove it"
                                .formatted(target),
                        e);
            }

            throw new UncheckedIOException("Failed to write " + target, e);
        }
    }

    @Override
    public void close() {
        unfinished.close();
        if (committed) {
            return;
        }

        try {
            TemporaryFolder.delete(temporary);
        } catch (IOException e) {
            throw new UncheckedIOException("Failed to remove " + temporary, e);
        }
    }
}
