package org.sparkqlora.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import java.util.function.BiPredicate;
import java.util.stream.IntStream;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.functions;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.sparkqlora.JsonValues;
import org.sparkqlora.command.ExitCode;
import org.sparkqlora.options.Sessions;
import org.sparkqlora.spark.job.Clusters;

/** Several adapters over one base that answer one file of prompts. */
class ManyAdaptersTest {
    private static final int PROMPTS = 30;
    private static final String NONE = "";
    private static final String BASE = "__base__";

    /** What prompts say, one after the other; null is an empty field. */
    private static final List<String> NAMES = List.of("crew", "owls", NONE, "grown", BASE, "null", "owls");

    @TempDir
    private static Path folder;

    private static TrainRuns runs;
    private static Path prompts;

    @BeforeAll
    static void train() throws IOException {
        runs = TrainRuns.in(folder);
        train("crew", "--rank", "4");
        train("owls", "--rank", "8", "--use-dora", "--target-modules", "q_proj,v_proj,down_proj");
        train("grown", "--new-tokens", "<|tool|>,<|end_tool|>", "--modules-to-save", "embed_tokens");
        Sessions.stop();
        prompts = folder.resolve("prompts.jsonl");
        Files.write(
                prompts,
                IntStream.range(0, PROMPTS).mapToObj(ManyAdaptersTest::record).toList());
    }

    private static void train(String name, String... options) {
        List<String> all = new ArrayList<>(List.of("--learning-rate", "0.02", "--max-steps", "6"));
        all.addAll(List.of(options));
        CommandRun run = runs.train(folder.resolve(name).toString(), all.toArray(String[]::new));
        assertThat(run.code()).as(run.err()).isEqualTo(ExitCode.OK);
    }

    @AfterEach
    void stop() {
        Sessions.stop();
    }

    @ParameterizedTest
    @CsvSource({
        "local[1], qlora, fp32, 0",
        "local[2], qlora, fp32, 0.9",
        "'local-cluster[2,1,1024]', qlora, fp32, 0.9",
        "local[2], lora, fp32, 0.9",
        "local[1], qlora, bf16, 0.9"
    })
    void eachPromptIsAnsweredAsByItsAdapterAlone(String master, String method, String precision, String temperature)
            throws IOException {
        List<String> settings = List.of(
                "--method",
                method,
                "--precision",
                precision,
                "--temperature",
                temperature,
                "--commit-rows",
                "11",
                "--answer-losses");
        Map<String, List<Object>> alone = new TreeMap<>();
        Clusters.start(Clusters.TWO_SLOTS);
        alone.put(BASE, answers(settings, List.of()));
        for (String name : List.of("crew", "owls", "grown")) {
            alone.put(name, answers(settings, List.of("--adapter", adapter(name))));
        }

        Sessions.stop();
        Clusters.start(master);
        List<Object> mixed = answers(settings, named("crew", "owls", "grown"));
        List<String> unnamed = new ArrayList<>(named("owls", "grown"));
        unnamed.addAll(List.of("--adapter", adapter("crew"), "--adapter", "crew=" + adapter("crew")));
        List<Object> byDefault = answers(settings, unnamed);
        Sessions.stop();

        assertThat(alone.values()).doesNotHaveDuplicates();
        BiPredicate<Double, Double> equal = (one, other) -> Math.abs(one - other) <= tolerance(precision);
        assertThat(mixed)
                .usingRecursiveComparison()
                .withEqualsForType(equal, Double.class)
                .isEqualTo(chosen(alone, BASE));
        assertThat(byDefault)
                .usingRecursiveComparison()
                .withEqualsForType(equal, Double.class)
                .isEqualTo(chosen(alone, "crew"));
    }

    /** Of losses: OpenBLAS, which computes float32, adds the numbers of a row in an order that depends on how many pass together. */
    private static double tolerance(String precision) {
        return precision.equals("fp32") ? 1e-4 : 0;
    }

    @Test
    void anAnswerSaysWhichAdapterGaveIt() throws IOException {
        Path output = folder.resolve("told.jsonl");
        CommandRun run = generate(output, named("crew", "owls", "grown"));

        assertThat(run.code()).as(run.err()).isEqualTo(ExitCode.OK);
        List<String> lines = Files.readAllLines(output);
        assertThat(JsonValues.of(lines.get(0))).containsEntry("adapter", "crew").containsKeys("prompt", "text");
        assertThat(JsonValues.of(lines.get(2))).doesNotContainKeys("adapter", "loss_sum", "loss_tokens");
        assertThat(JsonValues.of(lines.get(4))).containsEntry("adapter", BASE);
        Map<String, Integer> tokens = new TreeMap<>();
        Map<String, Integer> count = new TreeMap<>();
        for (String line : lines) {
            Map<String, Object> answer = JsonValues.of(line);
            String name = String.valueOf(answer.getOrDefault("adapter", ""));
            count.merge(name, 1, Integer::sum);
            tokens.merge(name, (Integer) answer.get("tokens"), Integer::sum);
        }

        assertThat(JsonValues.of(run.summary()))
                .containsEntry(
                        "adapters",
                        count.keySet().stream()
                                .map(name ->
                                        Map.of("adapter", name, "prompts", count.get(name), "tokens", tokens.get(name)))
                                .toList());
    }

    @Test
    void aNameThatNoAdapterHasIsToldWithItsLineBeforeWorkStarts() {
        Path output = folder.resolve("unknown.jsonl");
        CommandRun run = generate(output, named("crew", "grown"));

        assertThat(run.code()).isEqualTo(ExitCode.BAD_INPUT);
        assertThat(run.err())
                .contains(
                        "Cannot answer %s:2: Cannot find adapter owls: expected one of __base__, crew, grown, or no name"
                                .formatted(prompts));
        assertThat(output).doesNotExist();
    }

    @Test
    void aCommandThatIsKilledGoesOnWithTheSameAdaptersAlone() throws IOException, InterruptedException {
        Path whole = folder.resolve("whole.jsonl");
        Path output = folder.resolve("killed.jsonl");
        Path unfinished = folder.resolve("killed.jsonl.unfinished");
        List<String> adapters = new ArrayList<>(named("crew", "owls", "grown"));
        adapters.addAll(List.of("--commit-rows", "1"));
        assertThat(generate(whole, adapters).code()).isEqualTo(ExitCode.OK);
        DriverProcess.start(folder.resolve("driver.log"), List.of("-Dspark.master=local[2]"), line(output, adapters))
                .killOnce(() -> Files.exists(unfinished)
                        && Files.readString(unfinished).lines().count() > 4);

        List<String> others = new ArrayList<>(adapters);
        others.set(others.indexOf("crew=" + adapter("crew")), "crew=" + adapter("owls"));
        CommandRun other = generate(output, others);
        CommandRun same = generate(output, adapters);

        assertThat(other.code()).isEqualTo(ExitCode.BAD_INPUT);
        assertThat(other.err()).contains("found others: the hash of --adapter crew is ");
        assertThat(same.code()).as(same.err()).isEqualTo(ExitCode.OK);
        assertThat(Integer.parseInt(String.valueOf(JsonValues.of(same.summary()).get("earlier"))))
                .isBetween(3, PROMPTS - 1);
        assertThat(output).hasSameTextualContentAs(whole);
    }

    @Test
    @Tag("platform")
    void aTableOfPartsGoesOnWithTheSameAdaptersAlone() {
        Clusters.start(Clusters.TWO_SLOTS, LakeSettings.in(folder));
        SparkSession session = SparkSession.builder().getOrCreate();
        session.read()
                .json(prompts.toString())
                .withColumn("number", functions.monotonically_increasing_id())
                .withColumn("adapter", functions.expr("IF(number = 3, 'parrot', adapter)"))
                .write()
                .format("delta")
                .save(folder.resolve("asked").toString());
        List<String> line = new ArrayList<>(List.of("generate", "--model", runs.model(), "--model-cache"));
        line.addAll(List.of(runs.cache().toString(), "--max-new-tokens", "8", "--commit-rows", "8"));
        line.addAll(List.of("--prompt-table", folder.resolve("asked").toString()));
        line.addAll(List.of("--answer-table", "default.voices", "--table-format", "delta"));
        line.addAll(named("crew", "owls", "grown"));
        CommandRun whole = CommandRun.of(line.toArray(String[]::new));
        assertThat(whole.code()).as(whole.err()).isEqualTo(ExitCode.OK);
        List<Row> answers = session.table("voices").orderBy("number").collectAsList();
        session.sql("DELETE FROM voices WHERE answer_part = 1");

        List<String> others = new ArrayList<>(line);
        others.set(others.indexOf("crew=" + adapter("crew")), "crew=" + adapter("owls"));
        CommandRun other = CommandRun.of(others.toArray(String[]::new));
        CommandRun same = CommandRun.of(line.toArray(String[]::new));

        assertThat(answers.get(3).<Row>getAs("error").<String>getAs("type")).isEqualTo("UNKNOWN_ADAPTER");
        assertThat(JsonValues.of(whole.summary()))
                .containsEntry("prompts", PROMPTS)
                .containsEntry("errors", 1)
                .containsEntry(
                        "adapters",
                        List.of(
                                answered("", 8),
                                answered(BASE, 4),
                                answered("crew", 5),
                                answered("grown", 3),
                                answered("owls", 9)));
        assertThat(other.code()).isEqualTo(ExitCode.BAD_INPUT);
        assertThat(other.err()).contains("the hash of --adapter crew is ");
        assertThat(same.code()).as(same.err()).isEqualTo(ExitCode.OK);
        assertThat(session.table("voices").orderBy("number").collectAsList()).isEqualTo(answers);
    }

    @Test
    void allThatCannotWorkTogetherIsToldBeforeWorkStarts() throws IOException {
        Path texts = Files.writeString(folder.resolve("texts.txt"), "What says the owl ?\n");
        Path nameless = Files.writeString(folder.resolve("nameless.jsonl"), "{\"prompt\": \"hello\"}\n");
        String crew = "crew=" + adapter("crew");

        assertThat(generate(folder.resolve("no.jsonl"), List.of("--adapter", crew, "--adapter", "crew=" + folder))
                        .err())
                .contains("--adapter: expected one of the name crew, found [");
        assertThat(generate(
                                folder.resolve("no.jsonl"),
                                List.of("--adapter", adapter("crew"), "--adapter", adapter("owls")))
                        .err())
                .contains("--adapter: expected one without a name, found [");
        assertThat(generate(folder.resolve("no.jsonl"), List.of("--adapter", BASE + "=" + adapter("crew")))
                        .err())
                .contains("--adapter: expected another name than __base__, which stands for the base alone");
        assertThat(generate(folder.resolve("no.jsonl"), List.of("--adapter", "crew=" + folder.resolve("gone")))
                        .err())
                .contains("--adapter crew: Cannot open folder");
        assertThat(generate(folder.resolve("no.jsonl"), List.of("--adapter-column", "voice"))
                        .err())
                .contains("--adapter-column: expected with it an --adapter NAME=DIR");
        assertThat(of(texts, List.of("--adapter", crew)).err())
                .contains("expected JSON lines with a field adapter, found lines of text");
        assertThat(of(nameless, List.of("--adapter", crew)).err())
                .contains("expected a field adapter with the name of one, found none in any record");
        assertThat(CommandRun.of("generate", "--model", runs.model(), "--prompt", "hello", "--adapter", crew)
                        .err())
                .contains("--adapter: expected DIR alone with --prompt, found NAME=DIR");
    }

    @Test
    void adaptersOfAnotherShapeAreRefused() throws IOException {
        Path other = folder.resolve("other");
        Files.createDirectories(other);
        for (String file : List.of("adapter_config.json", "adapter_model.safetensors")) {
            Files.copy(
                    Path.of("src/test/resources/goldens/models/llama-tied/adapter")
                            .resolve(file),
                    other.resolve(file));
        }

        List<String> adapters = new ArrayList<>(named("crew", "grown"));
        adapters.addAll(List.of("--adapter", "owls=" + other));
        CommandRun run = generate(folder.resolve("no.jsonl"), adapters);

        assertThat(run.code()).isEqualTo(ExitCode.BAD_INPUT);
        assertThat(run.err()).contains("Cannot load adapter file:" + other);
        assertThat(folder).isDirectoryNotContaining("glob:**no.jsonl*");
    }

    private static List<Object> chosen(Map<String, List<Object>> alone, String unnamed) {
        return IntStream.range(0, PROMPTS)
                .mapToObj(i -> {
                    String name = name(i);
                    boolean named = !name.equals(NONE) && !name.equals("null");
                    return Objects.requireNonNull(alone.get(named ? name : unnamed))
                            .get(i);
                })
                .toList();
    }

    private static List<Object> answers(List<String> settings, List<String> adapters) throws IOException {
        Path output = Files.createTempDirectory(folder, "answers").resolve("answers.jsonl");
        List<String> options = new ArrayList<>(settings);
        options.addAll(adapters);
        CommandRun run = generate(output, options);
        assertThat(run.code()).as(run.err()).isEqualTo(ExitCode.OK);
        return Files.readAllLines(output).stream()
                .map(JsonValues::of)
                .<Object>map(line ->
                        List.of(line.get("text"), line.get("tokens"), line.get("loss_sum"), line.get("loss_tokens")))
                .toList();
    }

    private static String name(int prompt) {
        return NAMES.get(prompt % NAMES.size());
    }

    private static Map<String, Object> answered(String adapter, int prompts) {
        return Map.of("adapter", adapter, "prompts", prompts, "errors", 0);
    }

    private static String record(int prompt) {
        String asked = List.of("owl", "cat", "cow").get(prompt % 3);
        String name = name(prompt);
        String field = name.equals("null") ? "null" : '"' + name + '"';
        return "{\"messages\": [{\"role\": \"user\", \"content\": \"What does the %s say?\"}]%s}"
                .formatted(asked, name.equals(NONE) ? "" : ", \"adapter\": " + field);
    }

    private static List<String> named(String... names) {
        return List.of(names).stream()
                .flatMap(name -> List.of("--adapter", name + "=" + adapter(name)).stream())
                .toList();
    }

    private static String adapter(String name) {
        return folder.resolve(name).resolve("adapter").toString();
    }

    private static CommandRun generate(Path output, List<String> options) {
        return CommandRun.of(line(output, options).toArray(String[]::new));
    }

    private static CommandRun of(Path asked, List<String> options) {
        List<String> line = line(folder.resolve("no.jsonl"), options);
        line.set(line.indexOf(prompts.toString()), asked.toString());
        return CommandRun.of(line.toArray(String[]::new));
    }

    private static List<String> line(Path output, List<String> options) {
        List<String> line = new ArrayList<>(List.of("generate", "--model", runs.model(), "--model-cache"));
        line.addAll(List.of(runs.cache().toString(), "--max-new-tokens", "8"));
        line.addAll(List.of("--prompts", prompts.toString(), "--output", output.toString()));
        line.addAll(options);
        return line;
    }
}
