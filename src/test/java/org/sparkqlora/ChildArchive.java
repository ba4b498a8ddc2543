package org.sparkqlora;

import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.sql.SparkSession;
import org.sparkqlora.spark.job.Clusters;

/**
 * Spark's classes as Java holds them in memory, which processes of tests map in place of reading them from jars: two fifths of the
 * processor time of an executor's start. Written once for a class path and a Java, into {@code ~/.cache/spark-qlora}.
 */
public final class ChildArchive {
    private static final String WRITING = "qlora.archive.writing";

    private ChildArchive() {}

    /** The class path of this process, the jars first: Java archives the classes of a path that begins with them. */
    public static String classPath() {
        return Stream.concat(entries().filter(ChildArchive::isJar), entries().filter(entry -> !isJar(entry)))
                .collect(Collectors.joining(File.pathSeparator));
    }

    /** Flags of a process with {@link #classPath()}. The archive is made now if no earlier build made it. */
    public static List<String> flags() {
        if (Boolean.getBoolean(WRITING)) {
            return List.of();
        }

        try {
            Path file = MadeOnce.CACHE.resolve("classes-%s-%s.jsa".formatted(Runtime.version(), key()));
            return List.of("-XX:SharedArchiveFile=" + MadeOnce.of(file, ChildArchive::write), "-Xlog:cds*=off");
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException(e);
        }
    }

    /** Does what tests do in drivers and executors, and leaves the names of an executor's classes in a file. */
    public static void main(String[] arguments) {
        String flags = String.join(" ", ChildJvm.QUICK) + " " + String.join(" ", Clusters.javaFlags());
        Map<String, String> settings = Map.of(
                "spark.executor.extraJavaOptions",
                "%s -XX:DumpLoadedClassList=%s".formatted(flags, arguments[0]),
                "spark.kryo.registrationRequired",
                "false");
        try (JavaSparkContext context = Clusters.start("local-cluster[1,1,1024]", settings)) {
            SparkSession.builder()
                    .getOrCreate()
                    .range(0, 8, 1, 2)
                    .selectExpr("id % 2 AS half", "CONCAT('a', id) AS text")
                    .groupBy("half")
                    .count()
                    .collectAsList();
            context.parallelize(List.of(1, 2, 3, 4), 2).collect();
        }
    }

    private static void write(Path file) throws IOException, InterruptedException {
        Path folder = Files.createTempDirectory("class-archive-");
        Path driver = folder.resolve("driver");
        Path executor = folder.resolve("executor");
        List<String> command = new ArrayList<>(List.of(ChildJvm.program()));
        command.addAll(ChildJvm.flags());
        command.addAll(List.of("-D%s=true".formatted(WRITING), "-XX:DumpLoadedClassList=" + driver));
        command.addAll(List.of("-cp", classPath(), ChildArchive.class.getName(), executor.toString()));
        run(folder, command);
        Set<String> names = new LinkedHashSet<>(Files.readAllLines(driver));
        names.addAll(Files.readAllLines(executor));
        Path all = Files.write(folder.resolve("all"), names);

        List<String> dump = new ArrayList<>(List.of(ChildJvm.program(), "-Xshare:dump", "-XX:+UseSerialGC"));
        dump.addAll(List.of("-XX:SharedClassListFile=" + all, "-XX:SharedArchiveFile=" + file));
        dump.addAll(Clusters.javaFlags());
        dump.addAll(
                List.of("-cp", entries().filter(ChildArchive::isJar).collect(Collectors.joining(File.pathSeparator))));
        run(folder, dump);
        for (Path each : List.of(driver, executor, all, folder.resolve("log"), folder)) {
            Files.delete(each);
        }
    }

    private static void run(Path folder, List<String> command) throws IOException, InterruptedException {
        Path log = folder.resolve("log");
        int code = new ProcessBuilder(command)
                .redirectErrorStream(true)
                .redirectOutput(log.toFile())
                .start()
                .waitFor();
        if (code != 0) {
            throw new IllegalStateException("Failed to archive classes: " + Files.readString(log));
        }
    }

    /** Java takes no archive of jars that changed. */
    private static String key() {
        String jars = entries()
                .filter(ChildArchive::isJar)
                .map(jar -> jar + " " + new File(jar).lastModified())
                .collect(Collectors.joining("\n"));
        return UUID.nameUUIDFromBytes(jars.getBytes(StandardCharsets.UTF_8)).toString();
    }

    private static Stream<String> entries() {
        return Arrays.stream(System.getProperty("java.class.path").split(File.pathSeparator, -1));
    }

    private static boolean isJar(String entry) {
        return entry.endsWith(".jar");
    }
}
