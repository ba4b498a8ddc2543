package org.sparkqlora.cli;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;

/** The distribution of Spark that the Python package pyspark is, of the line that the build is for. */
final class SparkDistribution {
    private static final Path REQUIREMENTS = Path.of(System.getProperty("qlora.spark.requirements"));
    private static final int DEPTH = 4;

    private SparkDistribution() {}

    /** The folder that scripts of Spark call SPARK_HOME. */
    static Path home() throws IOException, InterruptedException {
        Path environment = PythonEnvironment.open(REQUIREMENTS)
                .program("python")
                .resolveSibling("..")
                .normalize();
        try (Stream<Path> found = Files.find(
                environment.resolve("lib"),
                DEPTH,
                (path, attributes) -> path.endsWith(Path.of("site-packages", "pyspark")))) {
            return found.findFirst().orElseThrow().toAbsolutePath();
        }
    }
}
