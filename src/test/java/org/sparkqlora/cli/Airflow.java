package org.sparkqlora.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/** A real Airflow with the DAGs of {@code deploy/airflow}, its database and logs in a folder of the test. */
final class Airflow {
    static final Path DAGS = Path.of("deploy", "airflow", "dags").toAbsolutePath();

    private static final Path REQUIREMENTS = Path.of("src", "test", "python", "airflow-requirements.txt");
    private static final long LONGEST_MINUTES = 10;
    private static final ObjectMapper MAPPER = new ObjectMapper();

    private final PythonEnvironment python;
    private final Path home;
    private final Path dags;
    private final Map<String, String> variables = new HashMap<>();

    private Airflow(PythonEnvironment python, Path home) {
        this.python = python;
        this.home = home;
        this.dags = home.resolve("dags");
    }

    /** Its environment, with what else the tests of {@code deploy} need. */
    static PythonEnvironment environment() throws IOException, InterruptedException {
        return PythonEnvironment.open(REQUIREMENTS);
    }

    static Airflow in(Path home) throws IOException, InterruptedException {
        Airflow airflow = withoutDatabase(home);
        Run migration = airflow.run("db", "migrate");
        assertThat(migration.code()).as(migration.log()).isZero();
        return airflow;
    }

    /** One that only runs scripts. */
    static Airflow withoutDatabase(Path home) throws IOException, InterruptedException {
        Airflow airflow = new Airflow(environment(), home);
        Files.createDirectories(home);
        copyTo(airflow.dags);
        airflow.set("AIRFLOW_HOME", home.toString());
        airflow.set("AIRFLOW__CORE__DAGS_FOLDER", airflow.dags.toString());
        airflow.set("AIRFLOW__CORE__LOAD_EXAMPLES", "False");
        airflow.set("AIRFLOW__CORE__DEFAULT_TASK_RETRY_DELAY", "1");
        airflow.set("PYTHONDONTWRITEBYTECODE", "1"); // deploy/ is for copying
        return airflow;
    }

    /** Fills names into the file of a DAG, as who installs it does. */
    void fillIn(String dag, Map<String, Object> names) throws IOException {
        Path file = dags.resolve(dag + ".py");
        String text = Files.readString(file);
        for (Map.Entry<String, Object> name : names.entrySet()) {
            Pattern line = Pattern.compile("(?m)^    \"%s\": .*$".formatted(name.getKey()));
            assertThat(text).as("%s of %s", name.getKey(), dag).containsPattern(line);
            text = line.matcher(text)
                    .replaceFirst(Matcher.quoteReplacement(
                            "    \"%s\": %s,".formatted(name.getKey(), json(name.getValue()))));
        }

        Files.writeString(file, text);
    }

    /** A variable of its processes' environment. */
    void set(String name, String value) {
        variables.put(name, value);
    }

    /** A folder whose programs are found first. */
    void prependPath(Path folder) {
        String before = variables.getOrDefault("PATH", System.getenv("PATH"));
        variables.put("PATH", folder + File.pathSeparator + before);
    }

    /** Runs a DAG from its first task to its last, as its scheduler would. */
    Run test(String dag, Map<String, Object> params) throws IOException, InterruptedException {
        return run(
                "dags", "test", dag, "--dagfile-path", dags.resolve(dag + ".py").toString(), "--conf", json(params));
    }

    /** Runs a script of the tests beside it. */
    Run script(String name, String... arguments) throws IOException, InterruptedException {
        List<String> command = new ArrayList<>(List.of(
                python.program("python").toString(),
                Path.of("src", "test", "python", name).toAbsolutePath().toString()));
        command.addAll(List.of(arguments));
        return start(command);
    }

    private static void copyTo(Path target) throws IOException {
        try (Stream<Path> files = Files.walk(DAGS)) {
            for (Path file : files.toList()) {
                Path copy = target.resolve(DAGS.relativize(file));
                if (Files.isDirectory(file)) {
                    Files.createDirectories(copy);
                } else {
                    Files.copy(file, copy, StandardCopyOption.REPLACE_EXISTING);
                }
            }
        }
    }

    private Run run(String... arguments) throws IOException, InterruptedException {
        List<String> command = new ArrayList<>(List.of(python.program("python").toString(), "-m", "airflow"));
        command.addAll(List.of(arguments));
        return start(command);
    }

    private Run start(List<String> command) throws IOException, InterruptedException {
        Path log = Files.createTempFile(home, "run-", ".log");
        Process process = process(command, log).start();
        boolean ended = process.waitFor(LONGEST_MINUTES, TimeUnit.MINUTES);
        process.descendants().forEach(ProcessHandle::destroyForcibly);
        process.destroyForcibly().waitFor();
        return new Run(ended ? process.exitValue() : -1, Files.readString(log));
    }

    private ProcessBuilder process(List<String> command, Path log) {
        ProcessBuilder builder = new ProcessBuilder(command)
                .directory(home.toFile())
                .redirectErrorStream(true)
                .redirectOutput(log.toFile());
        builder.environment().putAll(variables);
        builder.environment().remove("GLIBC_TUNABLES"); // meant for the JVM
        builder.environment().remove("SPARK_TESTING"); // meant for clusters inside of it
        return builder;
    }

    private static String json(Object params) {
        try {
            return MAPPER.writeValueAsString(params);
        } catch (JsonProcessingException e) {
            throw new IllegalStateException("Cannot write " + params, e);
        }
    }

    /**
     * What a command came to.
     *
     * @param log both streams
     */
    record Run(int code, String log) {}
}
