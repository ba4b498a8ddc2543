package org.sparkqlora.spark.cluster;

import java.io.File;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.spark.SparkConf;
import org.apache.spark.SparkEnv;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.sparkqlora.storage.TemporaryFolder;

/** The scratch folder of this process, driver or executor. */
public final class ScratchFolder {
    private static final Logger LOG = LoggerFactory.getLogger(ScratchFolder.class);

    /** By what they lie in, so that a process has one. */
    private static final Map<Path, Path> MADE = new ConcurrentHashMap<>();

    private ScratchFolder() {}

    /** A private folder in the first of Spark's local folders: {@code spark.local.dir}, or what the cluster manager gives instead. */
    public static Path ofProcess() {
        return MADE.computeIfAbsent(localFolder(System.getenv(), SparkEnv.get().conf()), ScratchFolder::make);
    }

    /** As Spark's own choice is documented. */
    static Path localFolder(Map<String, String> environment, SparkConf settings) {
        if (environment.containsKey("CONTAINER_ID")) { // of YARN
            return first(environment.getOrDefault("LOCAL_DIRS", ""), ",");
        }

        if (environment.containsKey("SPARK_EXECUTOR_DIRS")) { // of Spark's own cluster manager
            return first(environment.get("SPARK_EXECUTOR_DIRS"), File.pathSeparator);
        }

        String configured = settings.get("spark.local.dir", System.getProperty("java.io.tmpdir"));
        return first(environment.getOrDefault("SPARK_LOCAL_DIRS", configured), ",");
    }

    private static Path first(String folders, String separator) {
        return Path.of(folders.split(separator, 2)[0].strip());
    }

    private static Path make(Path parent) {
        TemporaryFolder folder = TemporaryFolder.in(parent, "spark-qlora-");
        Runtime.getRuntime().addShutdownHook(new Thread(() -> close(folder), "scratch-folder"));
        return folder.path();
    }

    private static void close(TemporaryFolder folder) {
        try {
            folder.close();
        } catch (UncheckedIOException e) {
            LOG.debug("{} is left to be removed with the folder it lies in", folder.path(), e);
        }
    }
}
