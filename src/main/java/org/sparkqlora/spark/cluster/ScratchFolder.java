package org.sparkqlora.spark.cluster;

import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Collectors;
import org.apache.spark.SparkConf;
import org.apache.spark.SparkEnv;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.sparkqlora.input.BadInputException;
import org.sparkqlora.storage.DiskRoom;
import org.sparkqlora.storage.LocalFiles;
import org.sparkqlora.storage.TemporaryFolder;

/** The scratch folder of this process, driver or executor. */
public final class ScratchFolder {
    private static final Logger LOG = LoggerFactory.getLogger(ScratchFolder.class);

    private static final String PREFIX = "spark-qlora-";

    /** By what they lie in, so that a process has one. */
    private static final Map<List<Path>, Path> MADE = new ConcurrentHashMap<>();

    private ScratchFolder() {}

    /**
     * A private folder in the first of Spark's local folders that can be written: {@code spark.local.dir}, or what the cluster manager gives
     * instead. Spark passes over the others, too.
     */
    public static Path ofProcess() {
        return MADE.computeIfAbsent(localFolders(System.getenv(), SparkEnv.get().conf()), ScratchFolder::make);
    }

    /**
     * Asks for one local folder that this process can write, before Spark does: where it has none, it ends the process with a code of its own.
     *
     * @throws BadInputException if none can be written
     */
    public static void requireLocalFolder(SparkConf settings) {
        Map<Path, IOException> refusals = new LinkedHashMap<>();
        for (Path folder : localFolders(System.getenv(), settings)) {
            try {
                Files.createDirectories(folder);
                LocalFiles.probe(folder);
                return;
            } catch (IOException e) {
                refusals.put(folder, e);
            }
        }

        throw refused(refusals);
    }

    private static RuntimeException refused(Map<Path, IOException> refusals) {
        IOException first = refusals.values().iterator().next();
        if (refusals.values().stream().anyMatch(DiskRoom::isShort)) {
            return new UncheckedIOException("Failed to make a folder for files of Spark", first);
        }

        String found =
                refusals.keySet().stream().map(ScratchFolder::whyNot).distinct().collect(Collectors.joining("; "));
        return new BadInputException(
                "Cannot start Spark: expected a folder for its files (SPARK_LOCAL_DIRS, spark.local.dir) that this user may write, found "
                        + found,
                first);
    }

    private static String whyNot(Path folder) {
        Path there = folder.toAbsolutePath();
        while (!Files.exists(there) && there.getParent() != null) {
            there = there.getParent();
        }

        return Files.isDirectory(there) ? "no permission to write " + there : there + ", a file";
    }

    /** As Spark's own choice is documented. */
    static List<Path> localFolders(Map<String, String> environment, SparkConf settings) {
        if (environment.containsKey("CONTAINER_ID")) { // of YARN
            return paths(environment.getOrDefault("LOCAL_DIRS", ""), ",");
        }

        if (environment.containsKey("SPARK_EXECUTOR_DIRS")) { // of Spark's own cluster manager
            return paths(environment.get("SPARK_EXECUTOR_DIRS"), File.pathSeparator);
        }

        String configured = settings.get("spark.local.dir", System.getProperty("java.io.tmpdir"));
        return paths(environment.getOrDefault("SPARK_LOCAL_DIRS", configured), ",");
    }

    private static List<Path> paths(String folders, String separator) {
        return Arrays.stream(folders.split(separator, -1))
                .map(folder -> Path.of(folder.strip()))
                .toList();
    }

    private static Path make(List<Path> parents) {
        TemporaryFolder folder = inFirst(parents);
        Runtime.getRuntime().addShutdownHook(new Thread(() -> close(folder), "scratch-folder"));
        return folder.path();
    }

    static TemporaryFolder inFirst(List<Path> parents) {
        UncheckedIOException refusal = null;
        for (Path parent : parents) {
            try {
                return TemporaryFolder.in(parent, PREFIX);
            } catch (UncheckedIOException e) {
                refusal = e;
            }
        }

        throw Objects.requireNonNull(refusal, "no local folder");
    }

    private static void close(TemporaryFolder folder) {
        try {
            folder.close();
        } catch (UncheckedIOException e) {
            LOG.debug("{} is left to be removed with the folder it lies in", folder.path(), e);
        }
    }
}
