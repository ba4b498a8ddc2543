package org.sparkqlora.storage;

import java.io.Serializable;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * The folder of a host for copies of models. One that a person named is the same path on every host, and whoever may write there is
 * trusted; otherwise each process takes the private one of its user. A value that crosses to executors.
 *
 * @param named an absolute path; null for the user's own
 */
public record ModelCache(@Nullable String named) implements Serializable {
    /** The private one of each process's user. */
    public static ModelCache ofUser() {
        return new ModelCache(null);
    }

    public static ModelCache at(Path folder) {
        return new ModelCache(folder.toAbsolutePath().normalize().toString());
    }

    /** Why this process could not write copies to a folder that a person named; empty where it can, or where copies are there. */
    public Optional<String> problem() {
        return named == null ? Optional.empty() : problem(Path.of(named));
    }

    /** Why copies of so many bytes do not fit on this host; empty if they do. */
    public Optional<String> roomProblem(long bytes) {
        return DiskRoom.problem(folder(), bytes).map(problem -> problem + " --model-cache names it.");
    }

    private static Optional<String> problem(Path folder) {
        Path nearest = folder;
        while (nearest != null && !Files.exists(nearest)) {
            nearest = nearest.getParent();
        }

        boolean isFolder = nearest != null && Files.isDirectory(nearest);
        if (isFolder && (Files.isWritable(nearest) || folder.equals(nearest) && isFilled(folder))) {
            return Optional.empty();
        }

        return Optional.of("Cannot write copies of models to %s: expected a folder that this user may write, found %s"
                .formatted(folder, isFolder ? "no permission" : "that %s is a file".formatted(nearest)));
    }

    private static boolean isFilled(Path folder) {
        String[] names = folder.toFile().list();
        return names != null && names.length > 0;
    }

    /** In this process. */
    public Path folder() {
        return named == null ? UserCache.ofProcess().folder("models") : Path.of(named);
    }
}
