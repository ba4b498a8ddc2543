package org.sparkqlora.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Predicate;
import java.util.stream.Stream;
import java.util.zip.ZipEntry;
import java.util.zip.ZipInputStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.sparkqlora.command.ExitCode;
import org.sparkqlora.options.Sessions;

/** The Python package: its sources, its wheel, and what it does in a real Spark. */
@Tag("platform")
class PythonPackageIT {
    private static final String JAR = "sparkqlora/spark-qlora.jar";
    private static final String DIST_INFO = "sparkqlora-0.1.0.dev0.dist-info/";

    @TempDir
    private static Path folder;

    private static PythonPackage installed;

    @BeforeAll
    static void install() throws IOException, InterruptedException {
        installed = PythonPackage.install(folder.resolve("site"));
    }

    @AfterAll
    static void stopSpark() {
        Sessions.stop();
    }

    @Test
    void sourcesAndTestsAreCleanForTheirLinters() throws IOException, InterruptedException {
        String settings = "--config=" + PythonPackage.SOURCES.resolve("pyproject.toml");
        String sources = PythonPackage.SOURCES.resolve("sparkqlora").toString();
        String tests = PythonPackage.TESTS.toString();

        installed.run(Map.of(), "python", "-m", "ruff", "format", "--no-cache", "--check", settings, sources, tests);
        installed.run(Map.of(), "python", "-m", "ruff", "check", "--no-cache", settings, sources, tests);
        String cache = "--cache-dir=" + folder.resolve("mypy");
        String types = "--config-file=" + PythonPackage.SOURCES.resolve("pyproject.toml");
        // By the types of the environment's PySpark, whatever line the build is for.
        String python = installed.python().program("python").toString();
        installed.python().run(Map.of(), List.of(python, "-m", "mypy", cache, types, sources));
        Map<String, String> path = Map.of("MYPYPATH", PythonPackage.SOURCES.toString());
        installed.python().run(path, List.of(python, "-m", "mypy", cache, types, tests));
    }

    @Test
    void theWheelIsThatOfAStandardBuilder() throws IOException, InterruptedException {
        Path project = Files.createDirectory(folder.resolve("project"));
        Files.copy(Path.of("LICENSE"), project.resolve("LICENSE"));
        Files.copy(PythonPackage.SOURCES.resolve("README.md"), project.resolve("README.md"));
        Files.copy(PythonPackage.SOURCES.resolve("pyproject.toml"), project.resolve("pyproject.toml"));
        copyFolder(PythonPackage.SOURCES.resolve("sparkqlora"), project.resolve("sparkqlora"));
        installed.run(Map.of(), "python", "-m", "flit_core.wheel", "-o", folder.toString(), project.toString());

        Path theirs = folder.resolve(PythonPackage.wheel().getFileName());

        assertThat(content(PythonPackage.wheel())).isEqualTo(content(theirs));
    }

    @Test
    void theOtherWheelHasTheJarToo() throws IOException {
        Map<String, String> whole = new TreeMap<>();
        content(PythonPackage.wheelWithJar()).forEach((name, text) -> whole.put(name.replace("+spark4", ""), text));
        Map<String, String> pure = content(PythonPackage.wheel());
        assertThat(whole.keySet()).containsAll(pure.keySet()).contains(JAR).hasSize(pure.size() + 1);
        assertThat(whole.get(DIST_INFO + "WHEEL")).contains("Tag: py3-none-manylinux_2_35_x86_64");
        assertThat(whole.get(DIST_INFO + "RECORD")).contains(JAR + ",sha256=");
    }

    @Test
    void theWheelInstallsIntoACleanEnvironment() throws IOException, InterruptedException {
        Path clean = folder.resolve("clean");
        installed.run(Map.of(), "python", "-m", "venv", clean.toString());
        Path python = clean.resolve("bin").resolve("python");
        installed.run(
                Map.of("UV_HTTP_RETRIES", "8"),
                "python",
                "-m",
                "uv",
                "pip",
                "install",
                "--quiet",
                "--python",
                python.toString(),
                PythonPackage.wheelWithJar().toString());

        // Spark is the platform's, as on EMR and Databricks.
        Path platform = Files.createDirectory(folder.resolve("platform"));
        Files.createSymbolicLink(platform.resolve("pyspark"), SparkDistribution.home());
        Files.createSymbolicLink(platform.resolve("py4j"), installed.python().library("py4j"));

        Path script = Files.writeString(folder.resolve("plan.py"), """
                import os
                import sparkqlora

                sparkqlora.session(master="local[1]")
                assert sparkqlora.__file__.startswith(os.environ["CLEAN"]), sparkqlora.__file__
                assert sparkqlora.plan(parameters="7B").parameters > 6e9
                """);
        Map<String, String> environment = Map.of(
                "PYTHONPATH",
                platform.toString(),
                "CLEAN",
                clean.toString(),
                "SPARK_HOME",
                platform.resolve("pyspark").toString());
        installed.python().run(environment, List.of(python.toString(), script.toString()));
        Path command = python.resolveSibling("spark-qlora");
        installed
                .python()
                .run(environment, List.of(command.toString(), "--master", "local[1]", "plan", "--parameters", "7B"));
        Map<String, String> withoutJar = new TreeMap<>(environment);
        withoutJar.put("SPARKQLORA_JAR", folder.resolve("none.jar").toString());
        assertThatThrownBy(() -> installed.python().run(withoutJar, List.of(command.toString(), "--version")))
                .hasMessageContaining("code 64")
                .hasMessageContaining("spark-qlora: Cannot start: expected spark-qlora.jar at");
    }

    @Test
    void itDoesInARealSparkWhatItSays() throws IOException, InterruptedException {
        Path demo = folder.resolve("demo");
        CommandRun run = CommandRun.of("demo", "--output", demo.toString());
        assertThat(run.code()).as(run.err()).isEqualTo(ExitCode.OK);

        installed.run(
                Map.of("SPARKQLORA_DEMO", demo.toString()),
                "python",
                "-m",
                "pytest",
                "-q",
                "-p",
                "no:cacheprovider",
                "-W",
                "error::pytest.PytestUnraisableExceptionWarning",
                PythonPackage.TESTS.toString());
    }

    private static void copyFolder(Path from, Path to) throws IOException {
        try (Stream<Path> files = Files.walk(from)) {
            for (Path file : files.toList()) {
                Files.copy(file, to.resolve(from.relativize(file).toString()));
            }
        }
    }

    /** The content of a wheel, without the version of its metadata's format, its generator, and hashes of these. */
    private static Map<String, String> content(Path wheel) throws IOException {
        Map<String, String> files = new TreeMap<>();
        try (InputStream stream = Files.newInputStream(wheel);
                ZipInputStream zip = new ZipInputStream(stream)) {
            for (ZipEntry entry = zip.getNextEntry(); entry != null; entry = zip.getNextEntry()) {
                if (entry.getName().equals(JAR)) {
                    files.put(JAR, "");
                    continue;
                }

                Stream<String> lines = new String(zip.readAllBytes(), StandardCharsets.UTF_8).lines();
                files.put(
                        entry.getName(),
                        String.join(
                                "\n", lines.filter(compared(entry.getName())).toList()));
            }
        }

        return files;
    }

    private static Predicate<String> compared(String file) {
        String name = file.substring(file.lastIndexOf('/') + 1);
        return switch (name) {
            case "METADATA" -> line -> !line.startsWith("Metadata-Version: ") && !line.startsWith("Import-Name: ");
            case "WHEEL" -> line -> !line.startsWith("Generator: ");
            case "RECORD" -> line -> !line.contains(".dist-info/");
            default -> line -> true;
        };
    }
}
