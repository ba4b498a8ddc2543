package org.sparkqlora.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.sparkqlora.command.ExitCode;
import org.sparkqlora.options.Sessions;

/** The DAGs of {@code deploy/airflow} in a real Airflow, which starts the jar as it was built. */
@Tag("platform")
class AirflowIT {
    private static final int STEPS = 60;

    @TempDir
    private static Path folder;

    private static Airflow airflow;
    private static TrainRuns runs;

    @BeforeAll
    static void start() throws IOException, InterruptedException {
        runs = TrainRuns.in(folder);
        airflow = Airflow.in(folder.resolve("airflow"));
        Path spark = SparkDistribution.home();
        airflow.set("SPARK_HOME", spark.toString());
        airflow.prependPath(spark.resolve("bin"));
        ClassArchive.variables().forEach(airflow::set);
        airflow.set("AIRFLOW_CONN_QLORA_SPARK", "{\"conn_type\": \"spark\", \"host\": \"local[2]\"}");
    }

    @AfterAll
    static void stopSpark() {
        Sessions.stop();
    }

    @Test
    void everyDagLoadsWithTheSameTasks() throws IOException, InterruptedException {
        Airflow.Run run = airflow.script("load_dags.py", Airflow.DAGS.toString());

        assertThat(run.code()).as(run.log()).isZero();
        assertThat(run.log().lines().filter(line -> line.startsWith("qlora_")))
                .containsExactlyInAnyOrder(
                        line("qlora_databricks"),
                        line("qlora_emr"),
                        line("qlora_emr_serverless"),
                        line("qlora_spark_submit"));
    }

    @Test
    void aRunWhoseDriverIsKilledGoesOnToTheSameAdapter() throws IOException, InterruptedException {
        Path out = folder.resolve("spark-submit");
        airflow.prependPath(killingOnce(out));
        Airflow.Run run = runOnSpark(out);

        assertThat(run.code()).as(run.log()).isZero();
        assertThat(folder.resolve("killed")).as(run.log()).exists();
        Path version = onlyFolder(out.resolve("runs"));
        JsonNode train = read(version.resolve("results/train.json"));
        assertThat(train.at("/summary/steps").asInt()).isEqualTo(STEPS);
        assertThat(train.at("/summary/resumed_from").asInt()).isBetween(4, STEPS - 1);
        assertThat(steps(version.resolve("train/metrics.jsonl")))
                .containsExactlyElementsOf(
                        IntStream.rangeClosed(1, STEPS).boxed().toList());

        String calm = folder.resolve("calm").toString();
        CommandRun expected = Pipeline.calm(runs, calm, STEPS);
        assertThat(expected.code()).as(expected.err()).isEqualTo(ExitCode.OK);
        StoredRun.read(version.resolve("train").toString()).assertEquals(StoredRun.read(calm));

        Path published = out.resolve("published").resolve(version.getFileName());
        assertThat(published.resolve("published.json")).exists();
        assertThat(published.resolve("adapter_model.safetensors"))
                .hasSameBinaryContentAs(Path.of(calm, "adapter", "adapter_model.safetensors"));
        assertThat(read(version.resolve("results/gate.json"))
                        .at("/summary/loss")
                        .asDouble())
                .isEqualTo(read(version.resolve("results/evaluate.json"))
                        .at("/summary/loss")
                        .asDouble());
    }

    @Test
    void badInputIsNotTriedAgain() throws IOException, InterruptedException {
        Map<String, Object> params = Pipeline.params(STEPS);
        params.put("model", folder.resolve("bad/none").toString());
        airflow.fillIn("qlora_spark_submit", names(folder.resolve("bad")));

        Airflow.Run run = airflow.test("qlora_spark_submit", params);

        assertThat(run.code()).as(run.log()).isEqualTo(1);
        assertThat(run.log())
                .containsOnlyOnce("starting task_id=validate")
                .contains("AirflowFailException: Not tried again, for the same command fails again")
                .contains("none: expected a folder or a .gguf file, found nothing");
        assertThat(folder.resolve("bad/runs")).isDirectoryRecursivelyContaining("glob:**/results/validate.json");
        assertThat(folder.resolve("bad/runs")).isDirectoryNotContaining("glob:**/rows");
    }

    @Test
    void whoTriggersADagChoosesNeitherWhatRunsNorWhere() throws IOException, InterruptedException {
        Airflow.Run run = airflow.script("check_choices.py", Airflow.DAGS.toString());

        assertThat(run.code()).as(run.log()).isZero();
    }

    private static Airflow.Run runOnSpark(Path out) throws IOException, InterruptedException {
        airflow.fillIn("qlora_spark_submit", names(out));
        return airflow.test("qlora_spark_submit", Pipeline.params(STEPS));
    }

    private static Map<String, Object> names(Path out) {
        Map<String, Object> names = Pipeline.names(runs, out.toString());
        names.put("properties_file", Pipeline.SETTINGS.toString());
        return names;
    }

    /** A folder with a spark-submit that kills the first driver which trains, after a checkpoint. */
    private static Path killingOnce(Path out) throws IOException {
        Path programs = Files.createDirectories(folder.resolve("bin"));
        Path script = programs.resolve("spark-submit");
        Files.writeString(script, """
                #!/usr/bin/env bash
                submit="$SPARK_HOME/bin/spark-submit"
                if [[ " $* " != *" train --model="* || -e %1$s/killed ]]; then
                  exec "$submit" "$@"
                fi

                "$submit" "$@" &
                driver=$!
                until grep -qs '"step":9,' %2$s/runs/*/train/metrics.jsonl; do
                  kill -0 $driver || exit 1
                  sleep 0.01
                done
                kill -9 $driver
                touch %1$s/killed
                wait $driver
                """.formatted(folder, out));
        assertThat(script.toFile().setExecutable(true)).isTrue();
        return programs;
    }

    private static String line(String dag) {
        return dag + " validate plan prepare train evaluate gate publish";
    }

    private static List<Integer> steps(Path metrics) throws IOException {
        try (Stream<String> lines = Files.lines(metrics)) {
            return lines.map(AirflowIT::parse)
                    .map(line -> line.path("step").asInt())
                    .toList();
        }
    }

    private static Path onlyFolder(Path parent) throws IOException {
        try (Stream<Path> found = Files.list(parent)) {
            List<Path> all = found.toList();
            assertThat(all).hasSize(1);
            return all.get(0);
        }
    }

    private static JsonNode read(Path file) throws IOException {
        return parse(Files.readString(file));
    }

    private static JsonNode parse(String json) {
        try {
            return new ObjectMapper().readTree(json);
        } catch (IOException e) {
            throw new AssertionError(json, e);
        }
    }
}
