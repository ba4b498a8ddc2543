package org.sparkqlora.cli;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.sparkqlora.ChildJvm;
import org.sparkqlora.MadeOnce;

/**
 * The classes of a training in Spark as Java holds them in memory, which commands that tests start map in place of reading them from jars:
 * a quarter of the processor time of a short one. Written once for a distribution and a Java, into the distribution's environment. A
 * command with another class path goes without it, and says nothing.
 */
final class ClassArchive {
    /** What spark-submit adds to Java's options. */
    private static final String VARIABLE = "SPARK_SUBMIT_OPTS";

    private static final String QUIET = "-Xlog:cds*=off";

    private ClassArchive() {}

    /** Variables for a process that starts spark-submit or a session of PySpark, with a small model: its commands take seconds. */
    static Map<String, String> variables() throws IOException, InterruptedException {
        return variables(ChildJvm.QUICK);
    }

    /** With other flags; the archive is made now if no earlier build made it. */
    static Map<String, String> variables(List<String> flags) throws IOException, InterruptedException {
        Path archive = SparkDistribution.home().resolveSibling("classes-%s.jsa".formatted(Runtime.version()));
        return Map.of(
                VARIABLE,
                "-XX:SharedArchiveFile=%s %s %s"
                        .formatted(MadeOnce.of(archive, ClassArchive::write), QUIET, String.join(" ", flags)));
    }

    /** Java writes what a process has loaded when that ends. */
    private static void write(Path file) throws IOException, InterruptedException {
        Path folder = Files.createTempDirectory("class-archive-");
        try {
            SparkDistribution.submit(
                    Map.of(VARIABLE, "-XX:ArchiveClassesAtExit=" + file), training(TrainRuns.in(folder)));
        } finally {
            Folders.delete(folder);
        }
    }

    private static List<String> training(TrainRuns runs) {
        List<String> line = new ArrayList<>(List.of(
                "--master",
                "local[2]",
                "--properties-file",
                Pipeline.SETTINGS.toString(),
                PythonPackage.jar().toString()));
        line.addAll(runs.command(runs.folder().resolve("run").toString(), "--max-steps", "1"));
        return line;
    }
}
