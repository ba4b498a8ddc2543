package org.sparkqlora.storage;

import java.io.Serializable;
import java.nio.file.Path;
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

    /** In this process. */
    public Path folder() {
        return named == null ? UserCache.ofProcess().folder("models") : Path.of(named);
    }
}
