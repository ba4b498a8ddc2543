package org.sparkqlora.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.sparkqlora.command.ExitCode;

/** The requests of the DAG for Databricks, and its handling of the answers. */
@Tag("platform")
class DatabricksIT {
    private static final String JAR = "/Volumes/main/qlora/files/spark-qlora/spark-qlora-spark4.jar";

    @TempDir
    private static Path folder;

    private static Airflow airflow;
    private static Databricks databricks;

    @BeforeAll
    static void start() throws IOException, InterruptedException {
        databricks = Databricks.start();
        airflow = Airflow.in(folder.resolve("airflow"));
        airflow.set(
                "AIRFLOW_CONN_DATABRICKS_DEFAULT",
                "{\"conn_type\": \"databricks\", \"host\": \"127.0.0.1\", \"schema\": \"http\", \"port\": %d, \"password\": \"x\"}"
                        .formatted(databricks.port()));
        airflow.fillIn(
                "qlora_databricks",
                Map.of(
                        "properties_file",
                        Path.of("spark-conf", "databricks.conf")
                                .toAbsolutePath()
                                .toString(),
                        "poll_seconds",
                        1,
                        // For Spark 4; the file's own are for Spark 3.5.
                        "spark_version",
                        "17.3.x-scala2.13",
                        "jar",
                        JAR));
    }

    @AfterAll
    static void stop() {
        databricks.close();
    }

    @Test
    void aLostTaskIsTriedAgainWithTheSameCommandOnAClusterOfItsOwn() throws IOException, InterruptedException {
        databricks.failNext("train", ExitCode.RESUMABLE);

        Airflow.Run run = airflow.test("qlora_databricks", Map.of());

        assertThat(run.code()).as(run.log()).isZero();
        List<JsonNode> submitted = databricks.takeSubmitted();
        assertThat(submitted.stream().map(body -> body.at("/tasks/0/task_key").asText()))
                .containsExactly("validate", "plan", "prepare", "train", "train", "evaluate", "gate", "publish");
        assertThat(submitted.get(4).at("/tasks/0/spark_jar_task/parameters/0").asText())
                .isEqualTo("train");
        assertThat(command(submitted.get(4))).isEqualTo(command(submitted.get(3)));
        JsonNode task = submitted.get(0).at("/tasks/0");
        assertThat(task.at("/libraries/0/jar").asText()).isEqualTo(JAR);
        assertThat(task.at("/new_cluster/spark_version").asText()).isEqualTo("17.3.x-scala2.13");
        assertThat(task.at("/new_cluster/spark_env_vars/SPARK_QLORA_JAR").asText())
                .isEqualTo(JAR);
        Set<String> tokens = new HashSet<>();
        submitted.forEach(body -> {
            assertThat(usage(command(body))).isEmpty();
            tokens.add(body.path("idempotency_token").asText());
        });
        assertThat(tokens).hasSameSizeAs(submitted).allMatch(token -> token.length() <= 64);
        assertKnownToDatabricks(submitted);
    }

    @Test
    void badInputIsNotTriedAgain() throws IOException, InterruptedException {
        databricks.failNext("validate", ExitCode.BAD_INPUT);
        airflow.fillIn("qlora_databricks", Map.of("cluster_id", "0000-000000-abcdefgh"));

        Airflow.Run run;
        try {
            run = airflow.test("qlora_databricks", Map.of());
        } finally {
            airflow.fillIn("qlora_databricks", Map.of("cluster_id", ""));
        }

        assertThat(run.code()).as(run.log()).isEqualTo(1);
        assertThat(run.log()).contains("Not tried again, for the same command fails again");
        List<JsonNode> submitted = databricks.takeSubmitted();
        assertThat(submitted).hasSize(1);
        assertThat(submitted.get(0).at("/tasks/0/existing_cluster_id").asText()).isEqualTo("0000-000000-abcdefgh");
        assertThat(submitted.get(0).at("/tasks/0").has("new_cluster")).isFalse();
    }

    /** By the strict classes of its own bundles. */
    private static void assertKnownToDatabricks(List<JsonNode> submitted) throws IOException, InterruptedException {
        Path file = folder.resolve("submitted.json");
        new ObjectMapper().writeValue(file.toFile(), submitted);

        Airflow.Run check = airflow.script("check_runs.py", file.toString());

        assertThat(check.code()).as(check.log() + Files.readString(file)).isZero();
    }

    private static List<String> command(JsonNode body) {
        return new ObjectMapper()
                .convertValue(
                        body.at("/tasks/0/spark_jar_task/parameters"),
                        new com.fasterxml.jackson.core.type.TypeReference<List<String>>() {});
    }

    private static List<String> usage(List<String> words) {
        return RootCommand.call(RootCommand.commandLine().parseArgs(words.toArray(String[]::new)))
                .usage();
    }
}
