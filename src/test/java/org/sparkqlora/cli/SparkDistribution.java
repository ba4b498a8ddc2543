package org.sparkqlora.cli;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;

/** The distribution of Spark that the Python package pyspark is, of the line that the build is for. */
final class SparkDistribution {
    private static final Path REQUIREMENTS = Path.of(System.getProperty("qlora.spark.requirements"));
    private static final int DEPTH = 4;

    private SparkDistribution() {}

    /** The folder that scripts of Spark call SPARK_HOME. */
    static Path home() throws IOException, InterruptedException {
        Path environment = environment().program("python").resolveSibling("..").normalize();
        try (Stream<Path> found = Files.find(
                environment.resolve("lib"),
                DEPTH,
                (path, attributes) -> path.endsWith(Path.of("site-packages", "pyspark")))) {
            return found.findFirst().orElseThrow().toAbsolutePath();
        }
    }

    /** Runs its spark-submit to its end. */
    static void submit(Map<String, String> variables, List<String> arguments) throws IOException, InterruptedException {
        Path home = home();
        List<String> command = new ArrayList<>(
                List.of(home.resolve("bin").resolve("spark-submit").toString()));
        command.addAll(arguments);
        Map<String, String> all = new TreeMap<>(variables);
        all.put("SPARK_HOME", home.toString());
        environment().run(all, command);
    }

    private static PythonEnvironment environment() throws IOException, InterruptedException {
        return PythonEnvironment.open(REQUIREMENTS);
    }
}
