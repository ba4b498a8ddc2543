package org.sparkqlora.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.sparkqlora.JsonValues;
import org.sparkqlora.command.ExitCode;
import org.sparkqlora.options.Sessions;
import org.sparkqlora.spark.job.Clusters;

/** Commands on tables of Delta and Iceberg, and what OpenLineage hears of them. */
@Tag("platform")
class LakeTablesTest {
    private static final ObjectMapper MAPPER = new ObjectMapper();
    private static final String PARENT = "3f5e83fa-3480-44ff-99c5-ff943904e5e8";

    @TempDir
    private static Path folder;

    private static TrainRuns runs;

    @BeforeAll
    static void start() throws IOException {
        runs = TrainRuns.in(folder);
        Map<String, String> settings = new HashMap<>(LakeSettings.in(folder));
        settings.put("spark.openlineage.namespace", "lake");
        settings.put("spark.openlineage.parentRunId", PARENT);
        settings.put("spark.openlineage.parentJobNamespace", "airflow");
        settings.put("spark.openlineage.parentJobName", "nightly.train");
        Clusters.start(Clusters.TWO_SLOTS, settings);
        Dataset<Row> rows = session().read().json(runs.data().toString());
        for (int i = 0; i < 2; i++) {
            rows.write().format("delta").mode("append").saveAsTable("chats");
        }

        rows.write().format("iceberg").saveAsTable("ice.lake.held");
        rows.createOrReplaceTempView("seen");
    }

    @AfterAll
    static void stop() {
        Sessions.stop();
    }

    @Test
    void aRunTellsItsTablesWithVersionsAndItsAdapter() throws IOException {
        Path events = folder.resolve("complete.jsonl");
        Path out = folder.resolve("out");
        CommandRun run = runs.withData("default.chats VERSION AS OF 0")
                .train(
                        out.toString(),
                        "--data",
                        "seen",
                        "--eval-data",
                        "ice.lake.held",
                        "--max-steps",
                        "2",
                        "--run-name",
                        "pirates",
                        "--lineage=" + events);
        assertThat(run.code()).as(run.err()).isEqualTo(ExitCode.OK);

        JsonNode start = only(events, "START");
        JsonNode complete = only(events, "COMPLETE");

        assertThat(lines(events)).hasSize(2);
        assertThat(complete.at("/run/runId")).isEqualTo(start.at("/run/runId"));
        assertThat(run.err()).contains("lineage: run " + start.at("/run/runId").asText());
        assertThat(start.at("/job/namespace").asText()).isEqualTo("lake");
        assertThat(start.at("/job/name").asText()).isEqualTo("pirates.train");
        assertThat(start.at("/run/facets/parent/run/runId").asText()).isEqualTo(PARENT);
        assertThat(start.at("/run/facets/parent/job/name").asText()).isEqualTo("nightly.train");
        assertThat(start.path("inputs")).isEqualTo(complete.path("inputs")).hasSize(4);

        assertThat(dataset(complete, "inputs", runs.model()).path("namespace").asText())
                .isEqualTo("file");
        JsonNode delta = dataset(complete, "inputs", place("warehouse/chats"));
        assertThat(delta.at("/facets/version/datasetVersion").asText()).isEqualTo("0");
        assertThat(delta.at("/facets/storage/storageLayer").asText()).isEqualTo("delta");
        assertThat(delta.at("/facets/symlinks/identifiers/0/name").asText()).isEqualTo("default.chats");
        assertThat(delta.at("/facets/symlinks/identifiers/0/namespace").asText())
                .isEqualTo("file:" + place("warehouse"));
        JsonNode iceberg = dataset(complete, "inputs", place("ice/lake/held"));
        assertThat(iceberg.at("/facets/version/datasetVersion").asText())
                .isEqualTo(session()
                        .sql("SELECT CAST(snapshot_id AS STRING) FROM ice.lake.held.history")
                        .head()
                        .getString(0));
        assertThat(iceberg.at("/facets/symlinks/identifiers/0/name").asText()).isEqualTo("lake.held");
        assertThat(iceberg.at("/facets/symlinks/identifiers/0/namespace").asText())
                .isEqualTo("file:" + place("ice"));

        JsonNode view = dataset(complete, "inputs", "seen");
        assertThat(view.path("namespace").asText()).isEqualTo("file:" + place("warehouse"));
        assertThat(view.path("facets")).isEmpty();

        JsonNode adapter = dataset(complete, "outputs", out.resolve("adapter").toString());
        assertThat(adapter.at("/facets/version/datasetVersion").asText()).hasSize(64);
        assertThat(adapter.at("/outputFacets/outputStatistics/size").asLong())
                .isGreaterThan(Files.size(out.resolve("adapter/adapter_model.safetensors")));
        assertThat(dataset(start, "outputs", out.resolve("adapter").toString()).has("outputFacets"))
                .isFalse();
        requireMergeIsTold(out.resolve("adapter"), adapter.at("/facets/version/datasetVersion"));
    }

    private static void requireMergeIsTold(Path adapter, JsonNode hash) throws IOException {
        Path events = folder.resolve("merge.jsonl");
        Path merged = folder.resolve("merged");
        CommandRun run = CommandRun.of(
                "merge",
                "--model",
                runs.model(),
                "--adapter",
                adapter.toString(),
                "--output",
                merged.toString(),
                "--lineage=" + events);

        assertThat(run.code()).as(run.err()).isEqualTo(ExitCode.OK);
        JsonNode complete = only(events, "COMPLETE");
        assertThat(complete.at("/job/name").asText()).isEqualTo("merged.merge");
        assertThat(dataset(complete, "inputs", runs.model())).isNotNull();
        assertThat(dataset(complete, "inputs", adapter.toString()).at("/facets/version/datasetVersion"))
                .isEqualTo(hash);
        assertThat(dataset(complete, "outputs", merged.toString())
                        .at("/outputFacets/outputStatistics/size")
                        .asLong())
                .isPositive();
    }

    @Test
    void aRunThatBreaksOnItsDataHasFailed() throws IOException {
        Path events = folder.resolve("failed.jsonl");
        Path data = Files.copy(runs.data(), folder.resolve("broken.jsonl"));
        Files.writeString(data, "{broken\n", StandardCharsets.UTF_8, StandardOpenOption.APPEND);
        CommandRun run = runs.withData(folder.resolve("broken*.jsonl").toString())
                .train(folder.resolve("broken").toString(), "--lineage=" + events);

        assertThat(run.code()).as(run.err()).isEqualTo(ExitCode.BAD_INPUT);
        JsonNode failed = only(events, "FAIL");
        assertThat(failed.at("/run/runId")).isEqualTo(only(events, "START").at("/run/runId"));
        assertThat(failed.at("/run/facets/errorMessage/message").asText())
                .contains("broken.jsonl:97: Cannot read the record as JSON");
        assertThat(failed.path("outputs")).isEmpty();
        assertThat(dataset(failed, "inputs", folder.toString())
                        .at("/facets/version")
                        .isMissingNode())
                .isTrue();
    }

    @Test
    void noRunBeginsWithoutAPlaceForItsEvents() {
        CommandRun none = runs.train(folder.resolve("none").toString(), "--lineage");
        CommandRun elsewhere = runs.train(folder.resolve("none").toString(), "--lineage=s3a://bucket/events");

        assertThat(none.code()).isEqualTo(ExitCode.BAD_INPUT);
        assertThat(none.err()).contains("Cannot send lineage: expected an address in OPENLINEAGE_URL");
        assertThat(elsewhere.code()).isEqualTo(ExitCode.BAD_INPUT);
        assertThat(elsewhere.err()).contains("--lineage: expected an address that begins with http:// or https://");
        assertThat(folder.resolve("none")).doesNotExist();
    }

    @Test
    void answersToATableGoIntoANewOne() throws IOException {
        Path file = folder.resolve("answers.jsonl");
        Path questions =
                Files.writeString(folder.resolve("questions.txt"), "what says the cat ?\nwhat says the owl ?\n");
        session()
                .sql("SELECT 1 AS id, array(named_struct('role', 'user', 'content', 'what says the cat ?')) AS messages"
                        + " UNION ALL SELECT 2, array(named_struct('role', 'user', 'content', 'what says the owl ?'))"
                        + " UNION ALL SELECT 3, filter(array(named_struct('role', '', 'content', '')), x -> false)")
                .write()
                .format("delta")
                .saveAsTable("asked");

        CommandRun delta =
                generate("--prompt-table", "asked", "--answer-table", "default.answered", "--table-format", "delta");
        Path events = folder.resolve("generate.jsonl");
        CommandRun iceberg = generate(
                "--lineage=" + events,
                "--prompt-table",
                "asked VERSION AS OF 0 WHERE id IN (1, 2, 3)",
                "--answer-table",
                "ice.lake.answered");
        CommandRun again = generate("--prompt-table", "asked", "--answer-table", "default.answered");
        CommandRun other =
                generate("--prompt-table", "asked", "--answer-table", "default.answered", "--temperature", "0.5");
        CommandRun somebodys = generate("--prompt-table", "asked", "--answer-table", "default.chats");
        Path fileEvents = folder.resolve("file.jsonl");
        CommandRun plain =
                generate("--prompts", questions.toString(), "--output", file.toString(), "--lineage=" + fileEvents);

        assertThat(delta.code()).as(delta.err()).isEqualTo(ExitCode.OK);
        assertThat(iceberg.code()).as(iceberg.err()).isEqualTo(ExitCode.OK);
        assertThat(plain.code()).as(plain.err()).isEqualTo(ExitCode.OK);
        assertThat(again.code()).as(again.err()).isEqualTo(ExitCode.OK);
        assertThat(other.code()).isEqualTo(ExitCode.BAD_INPUT);
        assertThat(other.err())
                .contains(
                        "--answer-table: Cannot write default.answered: expected a table of the same question, or a name of none, found another: --seed is 42, was none; --temperature is 0.5, was 0.0;");
        assertThat(somebodys.code()).isEqualTo(ExitCode.BAD_INPUT);
        assertThat(somebodys.err())
                .contains("expected a table that does not exist yet, or one that this command began, found one");
        assertThat(JsonValues.of(delta.summary()))
                .containsEntry("prompts", 3)
                .containsEntry("errors", 1)
                .containsEntry("earlier", 0);
        assertThat(JsonValues.of(again.summary()))
                .containsEntry("prompts", 3)
                .containsEntry("errors", 1)
                .containsEntry("earlier", 3);
        JsonNode made = only(events, "COMPLETE");
        assertThat(made.at("/job/name").asText()).isEqualTo("answered.generate");
        assertThat(dataset(made, "inputs", place("warehouse/asked"))
                        .at("/facets/version/datasetVersion")
                        .asText())
                .isEqualTo("0");
        assertThat(dataset(made, "outputs", place("ice/lake/answered"))
                        .at("/facets/symlinks/identifiers/0/name")
                        .asText())
                .isEqualTo("lake.answered");
        assertThat(dataset(only(fileEvents, "COMPLETE"), "inputs", questions.toString()))
                .isNotNull();
        assertThat(dataset(only(fileEvents, "COMPLETE"), "outputs", file.toString())
                        .at("/outputFacets/outputStatistics/size")
                        .asLong())
                .isEqualTo(Files.size(file));
        List<Row> answered = session().table("answered").orderBy("id").collectAsList();
        assertThat(answered)
                .isEqualTo(session().table("ice.lake.answered").orderBy("id").collectAsList());
        assertThat(answered.subList(0, 2))
                .extracting(row -> row.<String>getAs("answer"))
                .containsExactlyElementsOf(
                        session().read().json(file.toString()).select("text").collectAsList().stream()
                                .map(row -> row.getString(0))
                                .toList());
        assertThat(answered.get(0).<Row>getAs("error")).isNull();
        assertThat(answered.get(2).<String>getAs("answer")).isNull();
        assertThat(answered.get(2).<Row>getAs("error").<String>getAs("message"))
                .isEqualTo("Cannot read field messages: expected a list of at least 1 message, found a list of 0");
        assertThat(session().sql("DESCRIBE HISTORY answered").count()).isEqualTo(2);
    }

    @Test
    void aTableThatCannotBeAnsweredIsToldBeforeWork() {
        CommandRun file = generate("--prompt-table", runs.data().toString(), "--answer-table", "none");
        CommandRun column =
                generate("--prompt-table", "default.chats", "--prompt-column", "asked", "--answer-table", "none");
        CommandRun half = generate("--prompt-table", "default.chats");

        assertThat(file.err()).contains("expected one table, found files. --prompts takes a file");
        assertThat(column.err())
                .contains(
                        "--prompt-table: Cannot answer the table default.chats: expected a column asked of texts or of messages, found [messages]");
        assertThat(half.err()).contains("--answer-table: expected together with --prompt-table, found one of the two");
        assertThat(List.of(file.code(), column.code(), half.code())).containsOnly(ExitCode.BAD_INPUT);
        assertThat(session().catalog().tableExists("none")).isFalse();
    }

    private static CommandRun generate(String... options) {
        List<String> line = new ArrayList<>(List.of("generate", "--model", runs.model(), "--model-cache"));
        line.addAll(List.of(runs.cache().toString(), "--precision", "fp32", "--max-new-tokens", "6"));
        line.addAll(List.of(options));
        return CommandRun.of(line.toArray(String[]::new));
    }

    private static String place(String name) {
        return folder.resolve(name).toString();
    }

    private static SparkSession session() {
        return SparkSession.builder().getOrCreate();
    }

    private static JsonNode only(Path events, String type) throws IOException {
        List<JsonNode> found = new ArrayList<>();
        for (String line : lines(events)) {
            JsonNode event = MAPPER.readTree(line);
            if (event.path("eventType").asText().equals(type)) {
                found.add(event);
            }
        }

        assertThat(found).as(type).hasSize(1);
        return found.get(0);
    }

    private static List<String> lines(Path events) throws IOException {
        return Files.readAllLines(events);
    }

    private static JsonNode dataset(JsonNode event, String list, String name) {
        for (JsonNode each : event.path(list)) {
            if (each.path("name").asText().equals(name)) {
                return each;
            }
        }

        throw new AssertionError("expected " + name + " in " + event.path(list));
    }
}
