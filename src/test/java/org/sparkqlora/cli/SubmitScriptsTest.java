package org.sparkqlora.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.InputStream;
import java.io.StringReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The arguments and settings that the scripts give to spark-submit; a program in its place writes them down. */
class SubmitScriptsTest {
    private static final String SECRET = "not to be seen";

    @TempDir
    private Path folder;

    private final Map<String, String> environment = new HashMap<>();

    @BeforeEach
    void fillIn() throws IOException {
        Path home = folder.resolve("spark");
        program(home.resolve("bin/spark-submit"), """
                printf '%s\\n' "$@" > "$SEEN/arguments"
                while [ "$1" != --properties-file ]; do shift; done
                cp "$2" "$SEEN/settings"
                stat -c %a "$2" > "$SEEN/mode"
                exit "${CODE:-0}"
                """);
        program(folder.resolve("bin/kubectl"), "printf 75\n");
        Files.createDirectories(home.resolve("conf"));
        Files.writeString(
                home.resolve("conf/spark-defaults.conf"), "spark.eventLog.dir /events\nspark.locality.wait 9s");
        Files.createDirectories(folder.resolve("temporary"));
        environment.put("SEEN", folder.toString());
        environment.put("SPARK_HOME", home.toString());
        environment.put("TMPDIR", folder.resolve("temporary").toString());
        environment.put("PATH", folder.resolve("bin") + ":" + System.getenv("PATH"));
        environment.put("QLORA_JAR", Files.createFile(folder.resolve("jar")).toString());
        environment.put("QLORA_MASTER", "spark://host:7077");
        environment.put("QLORA_SECRET_FILE", secret("rw-------").toString());
        environment.put("HADOOP_CONF_DIR", "/etc/hadoop/conf");
        environment.put("QLORA_KUBERNETES", "https://host:6443");
        environment.put("QLORA_IMAGE", "registry/qlora:1");
        environment.put("QLORA_SERVICE_ACCOUNT", "trainer");
    }

    @Test
    void ofSettingsTheUsersCountBeforeOursAndOursBeforeTheClusters() throws IOException, InterruptedException {
        Path own = Files.writeString(folder.resolve("own.conf"), "spark.executor.memory 3g");
        environment.put("QLORA_CONF", own.toString());
        environment.put("QLORA_GPU", "1");

        SubmitScript run = run("yarn.sh", "train", "--data", "a b");

        assertThat(run.code()).as(run.output()).isZero();
        assertThat(settings())
                .containsEntry("spark.eventLog.dir", "/events")
                .containsEntry("spark.locality.wait", "0s")
                .containsEntry("spark.executor.resource.gpu.amount", "1")
                .containsEntry("spark.task.cpus", "1")
                .containsEntry("spark.executor.memory", "3g");
        assertThat(arguments())
                .startsWith("--master", "yarn", "--deploy-mode", "client", "--queue", "default")
                .endsWith(folder.resolve("jar").toString(), "train", "--data", "a b");
    }

    @Test
    void theSecretIsInAFileOfTheUserAloneWhichGoesAgain() throws IOException, InterruptedException {
        assertThat(run("standalone.sh", "demo").code()).isZero();

        assertThat(settings()).containsEntry("spark.authenticate.secret", SECRET);
        assertThat(Files.readString(folder.resolve("mode"))).isEqualTo("600\n");
        assertThat(arguments()).noneMatch(argument -> argument.contains(SECRET));
        try (Stream<Path> left = Files.list(folder.resolve("temporary"))) {
            assertThat(left).isEmpty();
        }
    }

    @Test
    void aSecretThatOthersMayReadIsRefused() throws IOException, InterruptedException {
        environment.put("QLORA_SECRET_FILE", secret("rw-r-----").toString());

        SubmitScript run = run("standalone.sh", "demo");

        assertThat(run.code()).isEqualTo(64);
        assertThat(run.output()).contains("others may read it. chmod 600 it.");
    }

    @Test
    void theExitCodeIsTheCommands() throws IOException, InterruptedException {
        environment.put("CODE", "75");
        assertThat(run("standalone.sh", "train").code()).isEqualTo(75);
        assertThat(run("yarn.sh", "train").code()).isEqualTo(75);

        environment.put("CODE", "0");
        assertThat(run("kubernetes.sh", "train").code()).as("the pod's").isEqualTo(75);
        assertThat(arguments())
                .contains("k8s://https://host:6443", "spark.kubernetes.container.image=registry/qlora:1")
                .endsWith("local:///opt/spark-qlora/spark-qlora.jar", "train");
    }

    @Test
    void whatIsNotFilledInIsRefusedByName() throws IOException, InterruptedException {
        environment.put("QLORA_MASTER", "");

        SubmitScript run = run("standalone.sh", "train");

        assertThat(run.code()).isEqualTo(64);
        assertThat(run.output()).contains("Cannot submit: expected QLORA_MASTER (spark://HOST:PORT), found nothing.");
    }

    /** Two jars lie beside the scripts of who runs both lines of Spark. */
    @Test
    void theJarIsOfTheLineOfSpark() throws IOException, InterruptedException {
        Path root = folder.resolve("root");
        Path scripts = Files.createDirectories(root.resolve("deploy/spark-submit"));
        for (String name : List.of("preamble.sh", "names.sh")) {
            Files.copy(Path.of("deploy", "spark-submit", name), scripts.resolve(name));
        }

        Files.createFile(root.resolve("spark-qlora.jar"));
        Path forSpark4 = Files.createFile(root.resolve("spark-qlora-spark4.jar"));
        Path spark = folder.resolve("spark");
        Path jars = Files.createDirectories(spark.resolve("jars"));
        Path core = Files.createFile(jars.resolve("spark-core_2.12-3.5.9.jar"));

        assertThat(jar(scripts)).isEqualTo(root.resolve("spark-qlora.jar").toString());
        Files.move(core, jars.resolve("spark-core_2.13-4.0.1.jar"));
        assertThat(jar(scripts)).isEqualTo(forSpark4.toString());
        Files.delete(forSpark4);
        assertThat(jar(scripts))
                .as("which says itself that it is the wrong one")
                .isEqualTo(root.resolve("spark-qlora.jar").toString());
    }

    private String jar(Path scripts) throws IOException {
        ProcessBuilder builder = new ProcessBuilder(
                "bash",
                "-c",
                "source \"$1/preamble.sh\"; jar \"$SPARK_HOME/bin/spark-submit\"",
                "jar",
                scripts.toString());
        builder.environment().put("SPARK_HOME", environment.get("SPARK_HOME"));
        builder.environment().remove("QLORA_JAR");
        try (InputStream out = builder.redirectErrorStream(true).start().getInputStream()) {
            return new String(out.readAllBytes(), StandardCharsets.UTF_8).strip();
        }
    }

    @Test
    void gpusAreFoundByNvidiasOwnProgram() throws IOException, InterruptedException {
        program(folder.resolve("bin/nvidia-smi"), "printf '0\\n1\\n'\n");
        ProcessBuilder script = new ProcessBuilder("deploy/gpu/discover-gpus.sh");
        script.environment().put("PATH", environment.get("PATH"));

        Process process = script.start();

        assertThat(new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8))
                .isEqualTo("{\"name\": \"gpu\", \"addresses\": [\"0\",\"1\"]}\n");
        assertThat(process.waitFor()).isZero();
    }

    private SubmitScript run(String name, String... arguments) throws IOException, InterruptedException {
        return SubmitScript.run(folder, name, environment, List.of(arguments));
    }

    private Properties settings() throws IOException {
        Properties settings = new Properties();
        settings.load(new StringReader(Files.readString(folder.resolve("settings"))));
        return settings;
    }

    private List<String> arguments() throws IOException {
        return Files.readAllLines(folder.resolve("arguments"));
    }

    private Path secret(String permissions) throws IOException {
        Path file = Files.writeString(folder.resolve("secret-" + permissions), SECRET + "\n");
        return Files.setPosixFilePermissions(file, PosixFilePermissions.fromString(permissions));
    }

    private static void program(Path file, String body) throws IOException {
        Files.createDirectories(file.getParent());
        Files.writeString(file, "#!/usr/bin/env bash\n" + body);
        Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rwxr-xr-x"));
    }
}
