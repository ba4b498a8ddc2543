package org.sparkqlora.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.net.URI;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.sparkqlora.command.ExitCode;
import org.sparkqlora.options.Sessions;

/** A run in a real tracking server. */
@Tag("platform")
class MlflowIT {
    private static final ObjectMapper MAPPER = new ObjectMapper();

    @TempDir
    private static Path folder;

    private static MlflowTracking server;
    private static TrainRuns runs;

    @BeforeAll
    static void start() throws IOException, InterruptedException {
        server = MlflowTracking.start(Files.createDirectory(folder.resolve("server")));
        runs = TrainRuns.in(folder);
    }

    @AfterAll
    static void stop() {
        Sessions.stop();
        server.close();
    }

    @Test
    void theServerHasParametersMetricsAndTheAdapter() throws IOException, InterruptedException {
        CommandRun run = runs.train(
                folder.resolve("out").toString(),
                "--max-steps",
                "6",
                "--eval-data",
                runs.data().toString(),
                "--eval-every",
                "3",
                "--mlflow=" + server.url(),
                "--mlflow-experiment",
                "pirates & co",
                "--run-name",
                "arr",
                "--register-model",
                "main.pirates.arr@candidate");
        assertThat(run.code()).as(run.err()).isEqualTo(ExitCode.OK);
        assertThat(run.err()).contains("MLflow has version 1 of the model main.pirates.arr@candidate");

        JsonNode stored = onlyRun("pirates & co");

        assertThat(stored.at("/info/run_name").asText()).isEqualTo("arr");
        assertThat(stored.at("/info/status").asText()).isEqualTo("FINISHED");
        assertThat(values(stored.at("/data/params"), "lora.rank")).containsExactly("16");
        assertThat(values(stored.at("/data/params"), "method")).containsExactly("qlora");
        String id = stored.at("/info/run_id").asText();
        assertThat(history(id, "loss")).isEqualTo(logged("loss"));
        assertThat(history(id, "learning_rate")).isEqualTo(logged("learning_rate"));
        assertThat(history(id, "eval_loss")).isEqualTo(logged("eval_loss")).hasSize(2);
        JsonNode data = stored.at("/inputs/dataset_inputs");
        assertThat(data).hasSize(1); // held out is the same
        assertThat(data.findValuesAsText("name")).containsExactly(runs.data().toString());
        assertThat(data.findValuesAsText("value")).containsExactly("training");
        assertThat(data.findValuesAsText("source")).containsExactly("{\"uri\":\"%s\"}".formatted(runs.data()));
        String artifacts = URI.create(stored.at("/info/artifact_uri").asText()).getPath();
        for (String file : List.of("adapter/adapter_model.safetensors", "adapter/adapter_config.json", "report.html")) {
            assertThat(server.bytes("/api/2.0/mlflow-artifacts/artifacts" + artifacts + "/" + file))
                    .as(file)
                    .isEqualTo(Files.readAllBytes(folder.resolve("out").resolve(file)));
        }

        assertThat(Files.readString(folder.resolve("out").resolve("mlflow-run.txt"))
                        .strip())
                .isEqualTo(id);
        JsonNode version = server.get("registered-models/alias?name=main.pirates.arr&alias=candidate");
        assertThat(version.at("/model_version/run_id").asText()).isEqualTo(id);
        requireOpens("models:/main.pirates.arr@candidate");
    }

    /** As a pipeline of transformers and as a function, which answers as we do. */
    private static void requireOpens(String model) throws IOException, InterruptedException {
        PythonEnvironment python = PythonEnvironment.open();
        Path result = folder.resolve("opened.json");
        String question = "What does the owl say?";
        python.run(
                Map.of("HF_HUB_OFFLINE", "1"),
                List.of(
                        python.program("python").toString(),
                        "src/test/python/load_mlflow_model.py",
                        server.library().toString(),
                        server.url(),
                        model,
                        question,
                        "12",
                        result.toString()));
        JsonNode opened = MAPPER.readTree(result.toFile());
        CommandRun own = CommandRun.of(
                "generate",
                "--model",
                runs.model(),
                "--adapter",
                folder.resolve("out/adapter").toString(),
                "--method",
                "lora",
                "--precision",
                "fp32",
                "--prompt",
                question,
                "--max-new-tokens",
                "12");

        assertThat(own.code()).as(own.err()).isEqualTo(ExitCode.OK);
        assertThat(opened.path("pipeline").asText()).isEqualTo("TextGenerationPipeline");
        assertThat(opened.path("model").asText()).startsWith("Peft");
        assertThat(opened.path("rank").asInt()).isEqualTo(16);
        assertThat(opened.path("inputs").get(0).asText()).isEqualTo("messages");
        assertThat(opened.path("outputs").toString()).contains("choices");
        assertThat(opened.at("/example/0/choices/0/message/role").asText()).isEqualTo("assistant");
        assertThat(opened.at("/answer/0/usage/completion_tokens").asInt()).isPositive();
        assertThat(opened.path("said").asText().strip())
                .isEqualTo(MAPPER.readTree(own.summary()).path("text").asText().strip());
    }

    /** Compared with what MLflow's own clients ask of the same stand-in; no real catalog has been asked. */
    @Test
    void unityCatalogIsAskedAsMlflowsOwnClientsAskIt() throws IOException, InterruptedException {
        try (UnityCatalogServer catalog = UnityCatalogServer.start(folder)) {
            CommandRun run = runs.train(
                    folder.resolve("catalog").toString(),
                    "--max-steps",
                    "2",
                    "--mlflow=" + server.url(),
                    "--mlflow-experiment",
                    "catalog",
                    "--mlflow-registry",
                    "uc:" + catalog.url(),
                    "--register-model",
                    "main.pirates.arr@candidate");
            assertThat(run.code()).as(run.err()).isEqualTo(ExitCode.OK);
            assertThat(run.err()).contains("MLflow has version 1 of the model main.pirates.arr@candidate");
            List<UnityCatalogServer.Request> asked = catalog.taken();
            JsonNode version = asked.get(1).body();
            PythonEnvironment.open()
                    .run(
                            Map.of("MLFLOW_DISABLE_TELEMETRY", "true"),
                            List.of(
                                    server.python().toString(),
                                    "src/test/python/register_in_unity_catalog.py",
                                    catalog.url(),
                                    "main.pirates.arr",
                                    version.path("source").asText(),
                                    version.path("run_id").asText(),
                                    catalog.version(1).toString(),
                                    "candidate"));

            assertThat(catalog.version(1).resolve("MLmodel")).content().contains("signature:");
            assertThat(asked)
                    .isEqualTo(catalog.taken().stream()
                            .map(request -> new UnityCatalogServer.Request(
                                    request.method(),
                                    request.path().replace("/versions/2/", "/versions/1/"),
                                    ofFirstVersion(request.body())))
                            .toList());
        }
    }

    private static JsonNode ofFirstVersion(JsonNode body) {
        ObjectNode first = body.deepCopy();
        for (String name : List.of("version", "version_num")) {
            if (first.has(name)) {
                first.put(name, first.path(name).asInt() - 1);
            }
        }

        return first;
    }

    @Test
    void namesThatUnityCatalogCannotHaveAreToldBeforeAnyWork() {
        CommandRun one = runs.train(
                folder.resolve("none").toString(),
                "--mlflow=" + server.url(),
                "--register-model",
                "owls",
                "--mlflow-registry",
                "uc:http://localhost:1");
        CommandRun nowhere = runs.train(
                folder.resolve("none").toString(),
                "--mlflow=" + server.url(),
                "--register-model",
                "main.llm.owls",
                "--mlflow-registry",
                "sqlite:///models.db");

        assertThat(one.err())
                .contains(
                        "--register-model: expected CATALOG.SCHEMA.MODEL for Unity Catalog, such as main.llm.owls, found owls");
        assertThat(nowhere.err())
                .contains(
                        "expected a registry such as uc:http://host:8080 or databricks-uc, found sqlite:///models.db");
        assertThat(List.of(one.code(), nowhere.code())).containsOnly(ExitCode.BAD_INPUT);
        assertThat(folder.resolve("none")).doesNotExist();
    }

    @Test
    void whatMlflowCouldNotOpenIsToldBeforeAnyWork() {
        CommandRun alone = runs.train(folder.resolve("none").toString(), "--register-model", "owls@v3");
        CommandRun scores = runs.train(
                folder.resolve("none").toString(),
                "--mlflow=" + server.url(),
                "--register-model",
                "owls",
                "--objective",
                "reward");

        assertThat(alone.code()).isEqualTo(ExitCode.BAD_INPUT);
        assertThat(alone.err())
                .contains(
                        "--register-model: expected NAME or NAME@ALIAS, such as main.llm.owls@candidate, found owls@v3",
                        "--register-model: expected --mlflow with it, found none");
        assertThat(scores.code()).isEqualTo(ExitCode.BAD_INPUT);
        assertThat(scores.err())
                .contains("--register-model: expected a run that teaches to write, found --objective reward");
        assertThat(folder.resolve("none")).doesNotExist();
    }

    @Test
    void theSameCommandGoesOnWithTheSameRun() throws IOException, InterruptedException {
        String[] options = {"--max-steps", "3", "--mlflow=" + server.url(), "--mlflow-experiment", "twice"};
        for (int i = 0; i < 2; i++) {
            CommandRun run = runs.train(folder.resolve("twice").toString(), options);
            assertThat(run.code()).as(run.err()).isEqualTo(ExitCode.OK);
        }

        JsonNode stored = onlyRun("twice");

        assertThat(stored.at("/info/status").asText()).isEqualTo("FINISHED");
        assertThat(history(stored.at("/info/run_id").asText(), "loss")).hasSize(3);
    }

    @Test
    void aServerThatIsNotThereIsToldBeforeAnyWork() {
        CommandRun run = runs.train(folder.resolve("none").toString(), "--mlflow=http://127.0.0.1:1");

        assertThat(run.code()).isEqualTo(ExitCode.RESUMABLE);
        assertThat(run.err()).contains("Failed to reach MLflow at http://127.0.0.1:1");
        assertThat(folder.resolve("none")).doesNotExist();
    }

    @Test
    void whatIsNoTrackingServerIsToldBeforeAnyWork() {
        CommandRun run = runs.train(folder.resolve("none").toString(), "--mlflow=" + server.url() + "/elsewhere");

        assertThat(run.code()).isEqualTo(ExitCode.BAD_INPUT);
        assertThat(run.err()).contains("MLflow at " + server.url() + "/elsewhere answered 404");
        assertThat(folder.resolve("none")).doesNotExist();
    }

    private static JsonNode onlyRun(String experiment) throws IOException, InterruptedException {
        String name = URLEncoder.encode(experiment, StandardCharsets.UTF_8);
        String id = server.get("experiments/get-by-name?experiment_name=" + name)
                .at("/experiment/experiment_id")
                .asText();
        JsonNode found = server.post("runs/search", "{\"experiment_ids\": [\"%s\"]}".formatted(id))
                .path("runs");
        assertThat(found).hasSize(1);
        return found.get(0);
    }

    private static List<String> values(JsonNode list, String key) {
        List<String> values = new ArrayList<>();
        list.forEach(each -> {
            if (each.path("key").asText().equals(key)) {
                values.add(each.path("value").asText());
            }
        });
        return values;
    }

    /** Steps and values that the server has. */
    private static List<String> history(String run, String key) throws IOException, InterruptedException {
        List<String> values = new ArrayList<>();
        server.get("metrics/get-history?run_id=%s&metric_key=%s".formatted(run, key))
                .path("metrics")
                .forEach(each -> values.add(
                        each.path("step").asLong() + " " + each.path("value").asDouble()));
        return values;
    }

    /** Steps and values that {@code metrics.jsonl} has. */
    private static List<String> logged(String key) throws IOException {
        List<String> values = new ArrayList<>();
        for (String line : Files.readAllLines(folder.resolve("out").resolve("metrics.jsonl"))) {
            JsonNode step = MAPPER.readTree(line);
            if (step.has(key)) {
                values.add(step.path("step").asLong() + " " + step.path(key).asDouble());
            }
        }

        return values;
    }
}
