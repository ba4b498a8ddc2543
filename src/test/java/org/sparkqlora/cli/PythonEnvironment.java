package org.sparkqlora.cli;

import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.sparkqlora.MadeOnce;

/**
 * Python with the libraries of {@code src/test/python/requirements.txt}: made once in {@code ~/.cache/spark-qlora} under a
 * name that says which requirements it holds, and found there by later builds.
 */
final class PythonEnvironment {
    private static final Path SOURCES = Path.of("src", "test", "python");
    private static final Path REQUIREMENTS = SOURCES.resolve("requirements.txt");

    /** It takes half a minute for the gigabytes that pip needs minutes for. */
    private static final String INSTALLER = "uv==0.13.9";

    private static final String RETRIES = "8";
    private static final long LONGEST_MINUTES = 10;

    private final Path folder;

    private PythonEnvironment(Path folder) {
        this.folder = folder;
    }

    /** The environment, made now if no earlier build made it. */
    static PythonEnvironment open() throws IOException, InterruptedException {
        return open(REQUIREMENTS);
    }

    /** One that has what another list asks for. */
    static PythonEnvironment open(Path requirements) throws IOException, InterruptedException {
        Path folder = MadeOnce.CACHE.resolve("python-" + hash(requirements));
        if (!Files.isDirectory(folder)) {
            Files.createDirectories(MadeOnce.CACHE);
            make(folder, requirements);
        }

        return new PythonEnvironment(folder);
    }

    /** A program that came with its packages. */
    Path program(String name) {
        return Path.of(python(folder)).resolveSibling(name);
    }

    /** A file that came with its packages, by the end of its path. */
    Path file(Path end) throws IOException {
        try (Stream<Path> files = Files.walk(folder)) {
            return files.filter(file -> file.endsWith(end))
                    .findFirst()
                    .orElseThrow(() -> new IllegalStateException(
                            "Cannot find %s in the Python environment %s".formatted(end, folder)));
        }
    }

    /** The folder of a package that came along. */
    Path library(String name) throws IOException {
        try (DirectoryStream<Path> found = Files.newDirectoryStream(folder.resolve("lib"), "python3*")) {
            return found.iterator().next().resolve("site-packages").resolve(name);
        }
    }

    /** Runs a script beside the requirements and returns once it is done. */
    void run(String script, Path... arguments) throws IOException, InterruptedException {
        List<String> command =
                new ArrayList<>(List.of(python(folder), SOURCES.resolve(script).toString()));
        for (Path argument : arguments) {
            command.add(argument.toString());
        }

        run(command);
    }

    /** Unpacks a package into a folder, without what it needs. */
    void fetch(String requirement, Path target) throws IOException, InterruptedException {
        String python = python(folder);
        run(List.of(
                python,
                "-m",
                "uv",
                "pip",
                "install",
                "--quiet",
                "--no-cache",
                "--no-deps",
                "--python",
                python,
                "--target",
                target.toString(),
                requirement));
    }

    /** Under another name first, so that the name stands for a whole environment whenever a build dies. */
    private static void make(Path folder, Path requirements) throws IOException, InterruptedException {
        Path fresh = Files.createTempDirectory(MadeOnce.CACHE, "python-unfinished-");
        try {
            install(fresh, requirements);
            Folders.publish(fresh, folder);
        } catch (IOException | IllegalStateException e) {
            Folders.delete(fresh);
            throw new IllegalStateException(
                    "Cannot make the Python environment %s, which tests with other programs need: expected Python 3.11 or later as python3, its package index within reach, and 6 GB of disk. To leave these tests out: mvn -DexcludedGroups=gpu,platform,python verify"
                            .formatted(folder),
                    e);
        }
    }

    private static void install(Path fresh, Path requirements) throws IOException, InterruptedException {
        String python = python(fresh);
        run(List.of("python3", "-m", "venv", fresh.toString()));
        run(List.of(python, "-m", "pip", "install", "--quiet", "--retries", RETRIES, INSTALLER));
        run(List.of(
                python,
                "-m",
                "uv",
                "pip",
                "install",
                "--quiet",
                "--no-cache",
                "--python",
                python,
                "--requirement",
                requirements.toString()));
    }

    private static String python(Path environment) {
        boolean windows = File.separatorChar == '\\';
        return environment
                .resolve(windows ? "Scripts/python.exe" : "bin/python")
                .toString();
    }

    /** Runs a command with more variables in its environment. */
    void run(Map<String, String> variables, List<String> command) throws IOException, InterruptedException {
        runWith(variables, command);
    }

    private static void run(List<String> command) throws IOException, InterruptedException {
        runWith(Map.of(), command);
    }

    private static void runWith(Map<String, String> variables, List<String> command)
            throws IOException, InterruptedException {
        Path log = Files.createTempFile("python-", ".log");
        try {
            ProcessBuilder builder =
                    new ProcessBuilder(command).redirectErrorStream(true).redirectOutput(log.toFile());
            builder.environment().put("UV_HTTP_RETRIES", RETRIES);
            builder.environment().put("HF_HUB_OFFLINE", "1");
            builder.environment().put("CUDA_VISIBLE_DEVICES", "");
            builder.environment().remove("GLIBC_TUNABLES"); // meant for the JVM
            builder.environment().remove("SPARK_TESTING"); // with it Spark's packages want tests that they do not hold
            builder.environment().putAll(variables);
            Process process = builder.start();
            boolean ended = process.waitFor(LONGEST_MINUTES, TimeUnit.MINUTES);
            process.destroyForcibly();
            if (!ended || process.exitValue() != 0) {
                throw new IllegalStateException("Failed to run %s: %s%n%s"
                        .formatted(
                                String.join(" ", command),
                                ended ? "code " + process.exitValue() : "still busy after 10 minutes",
                                Files.readString(log)));
            }
        } finally {
            Files.delete(log);
        }
    }

    private static String hash(Path file) {
        try {
            byte[] sum = MessageDigest.getInstance("SHA-256").digest(Files.readAllBytes(file));
            return HexFormat.of().formatHex(sum, 0, 6);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("Every Java has SHA-256", e);
        } catch (IOException e) {
            throw new UncheckedIOException("Failed to read " + file, e);
        }
    }
}
