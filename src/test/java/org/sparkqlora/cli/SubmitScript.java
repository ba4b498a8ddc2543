package org.sparkqlora.cli;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/**
 * A script of {@code deploy/spark-submit}, run as its user would.
 *
 * @param code that it ended with
 * @param output of stdout and stderr together
 */
record SubmitScript(int code, String output) {
    private static final Path FOLDER = Path.of("deploy", "spark-submit");

    /** The settings of Spark in the process of the build. */
    private static final List<String> OF_TESTS =
            List.of("SPARK_TESTING", "SPARK_SCALA_VERSION", "SPARK_HOME", "SPARK_CONF_DIR", "GLIBC_TUNABLES");

    private static final long LONGEST_MINUTES = 15;

    /** On the loopback device, with a settings file that is put after the shipped ones. */
    static Map<String, String> environment(Path spark, Path settings) {
        Map<String, String> environment = new HashMap<>();
        environment.put("SPARK_HOME", spark.toString());
        environment.put("SPARK_LOCAL_IP", "127.0.0.1");
        environment.put("QLORA_CONF", settings.toString());
        return environment;
    }

    /** Returns when it has ended. */
    static SubmitScript run(Path folder, String name, Map<String, String> environment, List<String> arguments)
            throws IOException, InterruptedException {
        Path log = Files.createTempFile(folder, name, ".log");
        Process process = start(log, name, environment, arguments);
        boolean ended = process.waitFor(LONGEST_MINUTES, TimeUnit.MINUTES);
        process.descendants().forEach(ProcessHandle::destroyForcibly);
        process.destroyForcibly();
        String output = Files.readString(log);
        if (!ended) {
            throw new IllegalStateException(
                    "Failed to run %s in %d minutes: %s".formatted(name, LONGEST_MINUTES, output));
        }

        return new SubmitScript(process.exitValue(), output);
    }

    /** A script that stays; what it says goes to {@code log}. */
    static Process start(Path log, String name, Map<String, String> environment, List<String> arguments)
            throws IOException {
        List<String> command = new ArrayList<>(List.of(FOLDER.resolve(name).toString()));
        command.addAll(arguments);
        ProcessBuilder builder =
                new ProcessBuilder(command).redirectErrorStream(true).redirectOutput(log.toFile());
        OF_TESTS.forEach(builder.environment()::remove);
        builder.environment().put("JAVA_HOME", System.getProperty("java.home"));
        builder.environment().putAll(environment);
        return builder.start();
    }
}
