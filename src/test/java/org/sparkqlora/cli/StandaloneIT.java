package org.sparkqlora.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.sparkqlora.command.ExitCode;
import org.sparkqlora.options.Sessions;

/**
 * Spark's own cluster manager out of its distribution: a master and two workers, started and used by the shipped scripts with the shipped
 * settings, and GPUs that a program in the place of NVIDIA's makes up: two of the first worker, one of the second.
 */
@Tag("platform")
class StandaloneIT {
    private static final String SECRET = "0f6c2f7b5d0e49f0a1";

    @TempDir
    private static Path folder;

    private static final List<Process> DAEMONS = new ArrayList<>();

    private static Path spark;
    private static String master;
    private static TrainRuns runs;

    @BeforeAll
    static void startCluster() throws IOException, InterruptedException {
        spark = SparkDistribution.home();
        runs = TrainRuns.in(folder);
        int port = freePort();
        master = "spark://127.0.0.1:" + port;
        start("master", SECRET, 0, "master", "--host", "127.0.0.1", "--port", "" + port, "--webui-port", "0");
        awaitLog("master", "Starting Spark master");
        startWorker("worker-1", SECRET, 2);
        startWorker("worker-2", SECRET, 1);
        awaitLog("worker-1", "Successfully registered with master");
        awaitLog("worker-2", "Successfully registered with master");
    }

    @AfterAll
    static void stopCluster() throws InterruptedException {
        Sessions.stop();
        for (Process daemon : DAEMONS) {
            List<ProcessHandle> children = daemon.descendants().toList();
            daemon.destroy();
            daemon.waitFor(20, TimeUnit.SECONDS);
            children.forEach(ProcessHandle::destroyForcibly);
        }
    }

    @Test
    void aRunFromTheShippedFilesAuthenticatesAndEncryptsAndEqualsALocalOne() throws IOException, InterruptedException {
        String local = folder.resolve("local").toString();
        assertThat(runs.train(local, "--max-steps", "3").code()).isEqualTo(ExitCode.OK);

        String output = folder.resolve("cluster").toString();
        SubmitScript run = train("plain", output, Map.of("spark.cores.max", "2"), Map.of(), "--exchange", "shuffle");

        assertThat(run.code()).as(run.output()).isZero();
        StoredRun.read(output).assertEquals(StoredRun.read(local));
        EventLog events = EventLog.in(folder.resolve("plain-events"));
        assertThat(events.of("SparkListenerExecutorAdded")).hasSize(2);
        assertThat(events.setting("spark.authenticate")).isEqualTo("true");
        assertThat(events.setting("spark.network.crypto.cipher")).isEqualTo("AES/CTR/NoPadding");
        assertThat(events.setting("spark.io.encryption.enabled")).isEqualTo("true");
        assertThat(events.text() + run.output()).doesNotContain(SECRET);
    }

    @Test
    void soDoesOneWhoseExecutorsShardTheOptimizer() throws IOException, InterruptedException {
        String local = folder.resolve("local-whole").toString();
        assertThat(runs.train(local, "--max-steps", "3").code()).isEqualTo(ExitCode.OK);

        String output = folder.resolve("shared").toString();
        SubmitScript run = train(
                "shared",
                output,
                Map.of("spark.cores.max", "2"),
                Map.of(),
                "--zero-stage",
                "1",
                "--optimizer-pages",
                "file",
                "--checkpoint-every",
                "1");

        assertThat(run.code()).as(run.output()).isZero();
        assertThat(run.output()).contains("zero stage 1: executors shard the optimiser's state");
        StoredRun.read(output).assertEquals(StoredRun.read(local));
    }

    @Test
    void twoExecutorsNeverShareAGpuAndOneTaskHoldsIt() throws IOException, InterruptedException {
        String output = folder.resolve("gpus").toString();
        SubmitScript run = train(
                "gpus",
                output,
                Map.of("spark.cores.max", "3", "spark.task.resource.gpu.amount", "1"),
                Map.of("QLORA_GPU", "1"),
                "--exchange",
                "shuffle");

        assertThat(run.code()).as(run.output()).isZero();
        EventLog events = EventLog.in(folder.resolve("gpus-events"));
        Map<String, Set<String>> gpus = new TreeMap<>();
        for (JsonNode added : events.of("SparkListenerExecutorAdded")) {
            JsonNode executor = added.path("Executor Info");
            JsonNode addresses = executor.at("/Resources/gpu/addresses");
            assertThat(addresses).as(executor.toString()).hasSize(1);
            String host = executor.path("Host").asText();
            assertThat(gpus.computeIfAbsent(host, name -> new TreeSet<>())
                            .add(addresses.get(0).asText()))
                    .as("GPU %s of %s is given once", addresses.get(0), host)
                    .isTrue();
        }

        assertThat(gpus).isEqualTo(Map.of("127.0.0.1", Set.of("0", "1"), "127.0.0.2", Set.of("0")));
        assertThat(stagesOfAProfile(events)).isNotEmpty();
        assertNoneOverlap(events);
    }

    @Test
    void whoHasAnotherSecretDoesNotJoin() throws IOException, InterruptedException {
        startWorker("stranger", "another secret", 1);

        awaitLog("stranger", "Failed to connect to master");
        assertThat(log("stranger")).doesNotContain("Successfully registered");
        assertThat(log("master")).containsPattern("(?i)auth");
    }

    private static SubmitScript train(
            String name, String output, Map<String, String> settings, Map<String, String> variables, String... options)
            throws IOException, InterruptedException {
        Map<String, String> all = new TreeMap<>(settings);
        all.put("spark.driver.host", "127.0.0.1");
        all.put("spark.driver.memory", "1g");
        all.put("spark.executor.memory", "512m");
        all.put("spark.executor.cores", "1");
        all.put("spark.task.cpus", "1");
        all.put("spark.eventLog.enabled", "true");
        all.put("spark.eventLog.compress", "false"); // both are otherwise from Spark 4 on
        all.put("spark.eventLog.rolling.enabled", "false");
        all.put(
                "spark.eventLog.dir",
                Files.createDirectory(folder.resolve(name + "-events")).toUri().toString());
        Map<String, String> environment = environment(name, SECRET, all);
        environment.put("QLORA_MASTER", master);
        environment.putAll(ClassArchive.variables());
        environment.putAll(variables);
        return SubmitScript.run(
                folder,
                "standalone.sh",
                environment,
                runs.command(
                        output,
                        Stream.concat(Stream.of("--max-steps", "3", "--device", "cpu"), Stream.of(options))
                                .toArray(String[]::new)));
    }

    /** A worker of a core for each GPU. */
    private static void startWorker(String name, String secret, int gpus) throws IOException {
        start(
                name,
                secret,
                gpus,
                "worker",
                "--host",
                gpus == 2 ? "127.0.0.1" : "127.0.0.2",
                "--webui-port",
                "0",
                "--cores",
                "" + gpus,
                "--memory",
                "2g",
                "--work-dir",
                Files.createDirectory(folder.resolve(name)).toString(),
                master);
    }

    private static void start(String name, String secret, int gpus, String... arguments) throws IOException {
        Map<String, String> settings = new HashMap<>();
        if (gpus > 0) {
            settings.put("spark.worker.resource.gpu.amount", "" + gpus);
            settings.put(
                    "spark.worker.resource.gpu.discoveryScript",
                    Path.of("deploy/gpu/discover-gpus.sh").toAbsolutePath().toString());
        }

        Map<String, String> environment = environment(name, secret, settings);
        environment.put("QLORA_GPU", gpus > 0 ? "1" : "0");
        environment.put("PATH", nvidia(gpus) + ":" + System.getenv("PATH"));
        environment.put("SPARK_DAEMON_MEMORY", "256m");
        environment.put("SPARK_DAEMON_JAVA_OPTS", "-XX:+UseSerialGC -XX:TieredStopAtLevel=1");
        DAEMONS.add(SubmitScript.start(folder.resolve(name + ".log"), "daemon.sh", environment, List.of(arguments)));
    }

    private static Map<String, String> environment(String name, String secret, Map<String, String> settings)
            throws IOException {
        String lines = settings.entrySet().stream()
                .map(entry -> entry.getKey() + " " + entry.getValue())
                .collect(Collectors.joining("\n"));
        Map<String, String> environment =
                SubmitScript.environment(spark, Files.writeString(folder.resolve(name + ".conf"), lines + "\n"));
        Path file = Files.writeString(folder.resolve(name + ".secret"), secret);
        Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rw-------"));
        environment.put("QLORA_SECRET_FILE", file.toString());
        return environment;
    }

    /** A folder with a program that lists so many GPUs. */
    private static Path nvidia(int gpus) throws IOException {
        Path programs = Files.createDirectories(folder.resolve("gpus-" + gpus));
        Path program = programs.resolve("nvidia-smi");
        Files.writeString(program, "#!/bin/sh\nseq 0 %d\n".formatted(gpus - 1));
        Files.setPosixFilePermissions(program, PosixFilePermissions.fromString("rwxr-xr-x"));
        return programs;
    }

    /** Stages that ask for a whole GPU a task. */
    private static Set<Integer> stagesOfAProfile(EventLog events) {
        return events.of("SparkListenerStageSubmitted").stream()
                .map(event -> event.path("Stage Info"))
                .filter(stage -> stage.path("Resource Profile Id").asInt() > 0)
                .map(stage -> stage.path("Stage ID").asInt())
                .collect(Collectors.toSet());
    }

    /**
     * An executor has one GPU, so that its tasks follow each other. A task's end is told by what it took on its executor: the
     * driver's "Finish Time" comes after the result was fetched, when the GPU may have its next task already.
     */
    private static void assertNoneOverlap(EventLog events) {
        Set<Integer> stages = stagesOfAProfile(events);
        Map<String, List<JsonNode>> byExecutor = events.of("SparkListenerTaskEnd").stream()
                .filter(event -> stages.contains(event.path("Stage ID").asInt()))
                .sorted(Comparator.comparingLong(StandaloneIT::launch))
                .collect(Collectors.groupingBy(
                        event -> event.at("/Task Info/Executor ID").asText()));
        assertThat(byExecutor).isNotEmpty();
        byExecutor.forEach((executor, tasks) -> {
            for (int i = 1; i < tasks.size(); i++) {
                JsonNode before = tasks.get(i - 1);
                long took = before.at("/Task Metrics/Executor Run Time").asLong();
                assertThat(took).as("task %d on executor %s", i - 1, executor).isPositive();
                assertThat(launch(tasks.get(i)))
                        .as("task %d on executor %s", i, executor)
                        .isGreaterThanOrEqualTo(launch(before) + took);
            }
        });
    }

    private static long launch(JsonNode taskEnd) {
        return taskEnd.at("/Task Info/Launch Time").asLong();
    }

    private static void awaitLog(String name, String text) {
        await().atMost(Duration.ofMinutes(5))
                .untilAsserted(() -> assertThat(log(name)).as(name).contains(text));
    }

    private static String log(String name) throws IOException {
        return Files.readString(folder.resolve(name + ".log"));
    }

    private static int freePort() {
        try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            return socket.getLocalPort();
        } catch (IOException e) {
            throw new UncheckedIOException("Failed to find a free port", e);
        }
    }
}
