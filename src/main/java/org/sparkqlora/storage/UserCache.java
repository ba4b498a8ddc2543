package org.sparkqlora.storage;

import com.sun.security.auth.module.UnixSystem;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * The user's cache of files that can be made again, such as unpacked libraries and copies of models: a private folder in
 * {@code XDG_CACHE_HOME}; else in the local folder of a container of YARN or Kubernetes; else in {@code ~/.cache}; else, for an account
 * without a home, among temporary files under the user's number.
 *
 * @param environment of the process
 * @param home the user's, which need not exist
 * @param temporary for temporary files
 */
public record UserCache(Map<String, String> environment, Path home, Path temporary) {
    private static final String NAME = "spark-qlora";

    public UserCache {
        environment = Map.copyOf(environment);
    }

    public static UserCache ofProcess() {
        Map<String, String> environment = System.getenv();
        String temporary = firstOf(environment.get("SPARK_LOCAL_DIRS"))
                .or(() -> firstOf(System.getProperty("spark.local.dir"))) // spark-submit sets it in a driver
                .orElseGet(() -> System.getProperty("java.io.tmpdir"));
        return new UserCache(environment, Path.of(System.getProperty("user.home")), Path.of(temporary));
    }

    /** The place of {@code name} in the private folder, which is made now if it is not there. */
    public Path folder(String name) {
        return PrivateFolder.open(root()).resolve(name);
    }

    private Path root() {
        Optional<Path> asked = Optional.ofNullable(environment.get("XDG_CACHE_HOME"))
                .map(Path::of)
                .filter(Path::isAbsolute);
        return asked.or(this::ofContainer)
                .or(this::ofHome)
                .map(folder -> folder.resolve(NAME))
                .orElseGet(() -> temporary.resolve(NAME + "-" + new UnixSystem().getUid()));
    }

    private Optional<Path> ofContainer() {
        if (environment.containsKey("CONTAINER_ID")) { // of YARN
            return firstOf(environment.get("LOCAL_DIRS")).map(Path::of);
        }

        return environment.containsKey("KUBERNETES_SERVICE_HOST")
                ? firstOf(environment.get("SPARK_LOCAL_DIRS")).map(Path::of)
                : Optional.empty();
    }

    private Optional<Path> ofHome() {
        return Optional.of(home)
                .filter(folder -> folder.isAbsolute() && Files.isDirectory(folder))
                .map(folder -> folder.resolve(".cache"))
                .filter(UserCache::canHold);
    }

    private static boolean canHold(Path folder) {
        Path there = folder;
        while (there != null && !Files.exists(there)) {
            there = there.getParent();
        }

        return there != null && Files.isDirectory(there) && Files.isWritable(there);
    }

    private static Optional<String> firstOf(@Nullable String folders) {
        return Optional.ofNullable(folders)
                .map(list -> list.split(",", 2)[0].strip())
                .filter(folder -> !folder.isEmpty());
    }
}
