package org.sparkqlora.cli;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/**
 * The image of a Dockerfile, as a folder.
 *
 * @param root of its file system
 * @param base image that the Dockerfile names
 * @param user that its processes run as, a number
 * @param environment of its processes
 */
record BuiltImage(Path root, String base, String user, List<String> environment) {
    private static final Path BASE = Path.of(".ci", "image_base");
    private static final Path SOURCES = Path.of("src", "test", "python");
    private static final long LONGEST_MINUTES = 5;

    /** As a container gets them: a root that is a mount, a table of its own processes, and a host's name that is known; Spark is the base's. */
    private static final String ENTER = """
            set -e
            mount --bind "$ROOT" "$ROOT"
            mount -t proc proc "$ROOT/proc"
            mount --bind -o ro "$SPARK" "$ROOT/opt/spark"
            hostname image
            echo '127.0.0.1 localhost image' > "$ROOT/etc/hosts"
            exec chroot --userspec="$USER_ID:0" "$ROOT" env -i "$@"
            """;

    BuiltImage {
        environment = List.copyOf(environment);
    }

    /** Whether this process may enter a root of its own, which most users and some containers may not, and can make one of Debian's packages. */
    static boolean mayBeMade() throws IOException, InterruptedException {
        String tried =
                "unshare --mount --uts --pid --fork chroot / true && { command -v debootstrap || command -v apt-get; }";
        return start(new ProcessBuilder("sh", "-c", tried).redirectErrorStream(true))
                        .code()
                == 0;
    }

    /** Takes the file's steps in {@code root}, which must not exist. */
    static BuiltImage of(Path dockerfile, Path root) throws IOException, InterruptedException {
        String stands = done(List.of(BASE.toString())).strip();
        done(List.of("cp", "--archive", stands, root.toString()));
        String python = PythonEnvironment.open(SOURCES.resolve("image-requirements.txt"))
                .program("python")
                .toString();
        JsonNode made = new ObjectMapper()
                .readTree(done(List.of(
                        python,
                        SOURCES.resolve("build_image.py").toString(),
                        dockerfile.toString(),
                        ".",
                        root.toString())));
        List<String> environment = new ArrayList<>();
        made.path("environment")
                .fields()
                .forEachRemaining(entry ->
                        environment.add(entry.getKey() + "=" + entry.getValue().asText()));
        return new BuiltImage(
                root, made.path("base").asText(), made.path("user").asText(), environment);
    }

    /** Runs a script of its shell in it. */
    Run run(String script) throws IOException, InterruptedException {
        List<String> command = new ArrayList<>(
                List.of("unshare", "--mount", "--uts", "--pid", "--fork", "--kill-child", "sh", "-c", ENTER, "enter"));
        command.addAll(environment);
        OpenBlasSettings.ofProcess().forEach((name, value) -> command.add(name + "=" + value));
        command.addAll(List.of("PATH=/usr/local/bin:/usr/bin:/bin", "sh", "-c", script));
        ProcessBuilder builder = new ProcessBuilder(command);
        builder.environment().put("ROOT", root.toString());
        builder.environment().put("SPARK", SparkDistribution.home().toString());
        builder.environment().put("USER_ID", user);
        return start(builder.redirectErrorStream(true));
    }

    private static String done(List<String> command) throws IOException, InterruptedException {
        Run run = start(new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.INHERIT));
        if (run.code() != 0) {
            throw new IllegalStateException(
                    "Failed to run %s: code %d%n%s".formatted(command, run.code(), run.output()));
        }

        return run.output();
    }

    private static Run start(ProcessBuilder builder) throws IOException, InterruptedException {
        Path log = Files.createTempFile("image-", ".log");
        try {
            Process process = builder.redirectOutput(log.toFile()).start();
            boolean ended = process.waitFor(LONGEST_MINUTES, TimeUnit.MINUTES);
            process.destroyForcibly().waitFor();
            return new Run(ended ? process.exitValue() : -1, Files.readString(log));
        } finally {
            Files.delete(log);
        }
    }

    /**
     * What a command came to.
     *
     * @param output both streams, where they were asked for
     */
    record Run(int code, String output) {}
}
