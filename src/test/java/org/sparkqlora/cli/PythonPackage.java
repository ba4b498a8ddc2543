package org.sparkqlora.cli;

import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;

/**
 * The wheel that the build made, unpacked beside an environment with what its tests need.
 *
 * @param python the environment
 * @param site where the wheel is installed
 */
record PythonPackage(PythonEnvironment python, Path site) {
    static final Path SOURCES = Path.of("src", "main", "python").toAbsolutePath();
    static final Path TESTS = Path.of("src", "test", "python", "package").toAbsolutePath();

    private static final Path REQUIREMENTS = Path.of("src", "test", "python", "package-requirements.txt");
    private static final Path JAR = Path.of(System.getProperty("qlora.jar")).toAbsolutePath();
    private static final Path TARGET = JAR.resolveSibling(".").normalize();

    static PythonPackage install(Path site) throws IOException, InterruptedException {
        PythonEnvironment python = PythonEnvironment.open(REQUIREMENTS);
        python.fetch(wheel().toString(), site);
        // Of the line of Spark that the jar is for, before that of the environment.
        Files.createSymbolicLink(site.resolve("pyspark"), SparkDistribution.home());
        return new PythonPackage(python, site);
    }

    static Path wheel() throws IOException {
        return onlyWheel(TARGET);
    }

    static Path wheelWithJar() throws IOException {
        return onlyWheel(TARGET.resolve("install"));
    }

    private static Path onlyWheel(Path folder) throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            List<Path> wheels =
                    files.filter(file -> file.toString().endsWith(".whl")).toList();
            if (wheels.size() != 1) {
                throw new IllegalStateException(
                        "Cannot test the wheel: expected one in %s, found %s".formatted(folder, wheels));
            }

            return wheels.get(0);
        }
    }

    static Path jar() {
        return JAR;
    }

    /** The line of Spark that the jar is for. */
    static boolean isForSpark4() {
        return JAR.endsWith("spark-qlora-spark4.jar");
    }

    /** Runs a program of the environment to its end, with the wheel to import. */
    void run(Map<String, String> variables, String program, String... arguments)
            throws IOException, InterruptedException {
        List<String> command = new ArrayList<>(List.of(python.program(program).toString()));
        command.addAll(List.of(arguments));
        Map<String, String> all = new TreeMap<>(ClassArchive.variables());
        all.putAll(variables);
        all.put("PYTHONPATH", site.toString());
        all.put("SPARKQLORA_JAR", jar().toString());
        all.put("PATH", python.program("python").getParent() + File.pathSeparator + System.getenv("PATH"));
        python.run(all, command);
    }
}
