package org.sparkqlora.command.plan;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.sparkqlora.cli.CommandRun;
import org.sparkqlora.command.ExitCode;

class PlanCommandTest {
    private static final String LLAMA = "src/test/resources/goldens/models/llama-tied/base";

    /** A model of a few thousand weights leaves only the JVM to be measured, whose size depends on its settings. */
    private static final double SLACK = 2;

    @Test
    void tellsTheFiguresOfTheArticle() {
        CommandRun run = CommandRun.of("plan", "--parameters", "13B", "--precision", "fp32");

        assertThat(run.code()).isEqualTo(ExitCode.OK);
        assertThat(run.err())
                .contains("13.02B parameters: llama, 40 layers of width 5120")
                .contains("full (float32, AdamW) 52 weights + 52 gradients + 104 optimiser = 208;")
                .contains("Double quantisation: 0.373 bits a weight less");
    }

    @Test
    void endsWithAJsonSummaryInBytes() throws IOException {
        CommandRun run = CommandRun.of("plan", "--parameters", "13B", "--shards", "4", "--executors", "2");

        JsonNode summary = summary(run);
        assertThat(summary.path("command").asText()).isEqualTo("plan");
        assertThat(summary.path("parameters").asLong()).isEqualTo(13_015_864_320L);
        assertThat(summary.path("bits_saved_by_double_quantization").asDouble()).isCloseTo(0.373, within(1e-4));
        JsonNode qlora = summary.path("methods").path("qlora");
        assertThat(qlora.path("total_bytes").asLong())
                .isEqualTo(2 * qlora.path("executor_bytes").asLong()
                        + qlora.path("driver_bytes").asLong());
        assertThat(qlora.path("fits").path("gpu_24_gb").asBoolean()).isTrue();
        assertThat(summary.path("methods")
                        .path("full")
                        .path("fits")
                        .path("gpu_24_gb")
                        .asBoolean())
                .isFalse();
    }

    /** 13B in 4 bits: 40 layers of 317 M weights at 4.125 bits, twice a step, but for what is kept; and a head of 327 MB in 16 bits. */
    @Test
    void tellsWhatAWindowOnTheBaseCosts() throws IOException {
        String[] options = {"plan", "--parameters", "13B", "--batch-size", "1", "--sequence-length", "256"};
        JsonNode all = summary(CommandRun.of(options));
        CommandRun run = CommandRun.of(Stream.concat(Stream.of(options), Stream.of("--base-memory", "1G"))
                .toArray(String[]::new));

        JsonNode window = summary(run).at("/base_memory/qlora");
        double layers = 40 * (4 * 5120.0 * 5120 + 3 * 5120.0 * 13824) * 33 / 64;
        double kept = (1 << 30) - window.path("least_bytes").asDouble() - 2 * 32000.0 * 5120;
        assertThat(window.path("read_bytes").asDouble()).isCloseTo(2 * (layers - kept), within(1e6));
        assertThat(window.path("read_seconds").asDouble())
                .isCloseTo(window.path("read_bytes").asDouble() / 2e9, within(1e-6));
        assertThat(run.err()).contains("qlora, base memory 1.07 GB: a step reads ");
        assertThat(executorBytes(all) - executorBytes(summary(run)))
                .isCloseTo(
                        all.at("/methods/qlora/executor/weights").asLong()
                                + all.at("/methods/qlora/executor/quantization_constants")
                                        .asLong()
                                + all.at("/methods/qlora/executor/malloc_slack").asLong()
                                - summary(run)
                                        .at("/methods/qlora/executor/malloc_slack")
                                        .asLong()
                                - (1L << 30),
                        within(1000L));
        assertThat(window.path("least_executor_bytes").asLong()).isLessThan(executorBytes(summary(run)));
    }

    private static long executorBytes(JsonNode summary) {
        return summary.at("/methods/qlora/executor_bytes").asLong();
    }

    @Test
    void aDequantisedBaseIsCountedAndIsNoneOfACard() throws IOException {
        CommandRun all = CommandRun.of("plan", "--model", LLAMA);
        CommandRun wide = CommandRun.of("plan", "--model", LLAMA, "--base-memory", "dequantized");
        CommandRun card = CommandRun.of("plan", "--model", LLAMA, "--base-memory", "dequantized", "--device", "cuda");

        assertThat(executorBytes(summary(wide))).isGreaterThan(executorBytes(summary(all)));
        assertThat(card.code()).isEqualTo(ExitCode.BAD_INPUT);
        assertThat(card.err()).contains("--base-memory dequantized: expected tasks on the processor");
    }

    @Test
    void theSpeedOfTheDiskIsMeasuredWhereThereAreWeights() throws IOException {
        JsonNode window = summary(CommandRun.of("plan", "--model", LLAMA, "--base-memory", "1K"))
                .at("/base_memory/qlora");

        assertThat(window.path("disk_bytes_per_second").asDouble()).isPositive();
        assertThat(window.path("read_bytes").asLong()).isPositive();
    }

    @Test
    void theDriverNeedsWhatTheExchangeSendsIt() throws IOException {
        long shuffled = driverBytes("--exchange", "shuffle");
        long adapter = summary(CommandRun.of("plan", "--parameters", "8B"))
                .at("/methods/qlora/executor/adapter")
                .asLong();

        assertThat(driverBytes("--exchange", "auto")).isEqualTo(shuffled);
        assertThat(driverBytes("--exchange", "collect")).isGreaterThan(65 * adapter);
        assertThat(shuffled).isGreaterThan(adapter).isLessThan(adapter + (64 << 20));
        assertThat(driverBytes("--exchange", "shuffle", "--use-dora")).isGreaterThan(shuffled + adapter / 2);
    }

    private static long driverBytes(String... options) throws IOException {
        String[] cluster = {"plan", "--parameters", "8B", "--batch-size", "64", "--executors", "64"};
        String[] all = Stream.concat(Stream.of(cluster), Stream.of(options)).toArray(String[]::new);
        return summary(CommandRun.of(all)).at("/methods/qlora/driver_bytes").asLong();
    }

    @Test
    void tellsSecondsOfAStepForEachNumberOfExecutors() throws IOException {
        CommandRun run = CommandRun.of(
                "plan", "--parameters", "8B", "--executors", "8,64,256,1000", "--network", "10Gb", "--wire", "bf16");

        assertThat(run.code()).as(run.err()).isEqualTo(ExitCode.OK);
        assertThat(run.err()).contains("Seconds of a step by --exchange shuffle, 10.0 Gb/s an executor, estimated");
        List<JsonNode> qlora = new ArrayList<>();
        summary(run).path("costs").forEach(cost -> {
            if (cost.path("method").asText().equals("qlora")) {
                qlora.add(cost);
            }
        });
        assertThat(qlora).extracting(cost -> cost.path("executors").asInt()).containsExactly(8, 64, 256, 1000);
        assertThat(qlora)
                .extracting(cost -> cost.path("batch_size").asInt())
                .as("one row a shard at least")
                .containsExactly(16, 64, 256, 1000);
        assertThat(qlora)
                .extracting(cost -> cost.path("share_of_ideal").asDouble())
                .isSortedAccordingTo(Comparator.reverseOrder())
                .allSatisfy(share -> assertThat(share).isBetween(0.0, 1.0));
        assertThat(qlora.get(0).path("compute_seconds").asDouble())
                .isEqualTo(2 * qlora.get(1).path("compute_seconds").asDouble());
    }

    @Test
    void theSpeedOfATaskMayBeGiven() throws IOException {
        CommandRun run = CommandRun.of(
                "plan", "--parameters", "8B", "--network", "1Gb", "--tokens-per-second", "1024", "--batch-size", "3");

        assertThat(summary(run).at("/costs/0/compute_seconds").asDouble()).isEqualTo(3);
    }

    @Test
    void costsNeedANetworkAndNumbers() {
        CommandRun run = CommandRun.of("plan", "--parameters", "8B", "--executors", "8,0", "--tokens-per-second", "-1");

        assertThat(run.code()).isEqualTo(ExitCode.BAD_INPUT);
        assertThat(run.err())
                .contains("--executors: expected one number, or several with --network, found [8, 0]")
                .contains("--tokens-per-second: expected --network with it, found none")
                .contains("--tokens-per-second: expected a number above 0, found -1.0")
                .contains("Cannot plan a step of 0 shards: expected at least 1");
        assertThat(CommandRun.of("plan", "--parameters", "8B", "--network", "10GB")
                        .err())
                .contains(
                        "Cannot read the speed of a network from '10GB': expected bits a second such as 10Gb or 100Mb");
    }

    @Test
    void onePassAtOnceTakesTheMemoryOfOneThread() throws IOException {
        long one = qloraBytes("--task-cpus", "1");

        assertThat(qloraBytes("--task-cpus", "4", "--passes-at-once", "1")).isEqualTo(one);
        assertThat(qloraBytes("--task-cpus", "4")).isGreaterThan(one * 3 / 2);
        CommandRun none = CommandRun.of("plan", "--parameters", "7B", "--passes-at-once", "0");
        assertThat(none.code()).isEqualTo(ExitCode.BAD_INPUT);
        assertThat(none.err())
                .contains("--passes-at-once", "Cannot plan a step of 0 passes a task: expected at least 1");
    }

    private static long qloraBytes(String... options) throws IOException {
        String[] all = Stream.concat(Stream.of("plan", "--parameters", "7B"), Stream.of(options))
                .toArray(String[]::new);
        return summary(CommandRun.of(all)).at("/methods/qlora/executor_bytes").asLong();
    }

    @Test
    void tellsWhatAGpuIsForAndHowManyRowsItTakesAtOnce() throws IOException {
        CommandRun run = CommandRun.of("plan", "--parameters", "13B", "--device", "cuda");

        assertThat(run.code()).as(run.err()).isEqualTo(ExitCode.OK);
        assertThat(run.err())
                .contains(
                        "GB of one GPU, estimated and not measured", "CUDA's context", "its executor: beside the heap");
        JsonNode qlora = summary(run).at("/methods/qlora");
        long uses = 0;
        for (JsonNode use : qlora.path("gpu")) {
            uses += use.asLong();
        }

        long host = qlora.at("/gpu/pinned_pages").asLong()
                + qlora.at("/gpu/host_context").asLong();
        long follows =
                Math.min(qlora.at("/gpu/loss").asLong(), qlora.at("/gpu/layer").asLong());
        assertThat(qlora.path("gpu_bytes").asLong()).isEqualTo(uses - host - follows);
        assertThat(qlora.at("/gpu_most_rows/gpu_24_gb").asInt())
                .isBetween(1, qlora.at("/gpu_most_rows/gpu_48_gb").asInt());
        assertThat(summary(run).at("/methods/full/gpu_most_rows/gpu_24_gb").asInt())
                .isZero();
        assertThat(CommandRun.of("plan", "--parameters", "7B").err()).doesNotContain("of one GPU");
    }

    @Test
    void readsTheShapeOfAModelFolder(@TempDir Path folder) throws IOException {
        Files.writeString(folder.resolve("config.json"), """
                {"model_type": "llama", "vocab_size": 100, "hidden_size": 32, "intermediate_size": 64,
                 "num_hidden_layers": 2, "num_attention_heads": 4, "num_key_value_heads": 2, "rms_norm_eps": 1e-5,
                 "max_position_embeddings": 64, "rope_theta": 10000.0, "tie_word_embeddings": true,
                 "hidden_act": "silu", "torch_dtype": "float32"}
                """);

        CommandRun run =
                CommandRun.of("plan", "--model", folder.toString(), "--rank", "4", "--target-modules", "q_proj");

        assertThat(run.code()).isEqualTo(ExitCode.OK);

        long embedding = 100L * 32;
        long layer = 2L * 32 * 32 + 2L * 32 * 16 + 3L * 32 * 64 + 2L * 32;
        assertThat(summary(run).path("parameters").asLong()).isEqualTo(embedding + 2 * layer + 32);
        long adapter = 2L * 4 * (32 + 32);
        assertThat(summary(run).at("/methods/qlora/executor/adapter").asLong()).isEqualTo(4 * adapter);
    }

    @Test
    void reportsAllProblemsTogether() {
        CommandRun run = CommandRun.of("plan", "--rank", "0", "--batch-size", "2", "--shards", "3");

        assertThat(run.code()).isEqualTo(ExitCode.BAD_INPUT);
        assertThat(run.err())
                .contains("plan: 3 problems")
                .contains("--model, --parameters: expected one of them, found none")
                .contains("Cannot split a step of 2 rows over 3 shards: expected no more shards than rows")
                .contains("Cannot build adapters of rank 0: rank must be at least 1");
    }

    @Test
    void aSizeThatIsNoneIsBadInput() {
        CommandRun run = CommandRun.of("plan", "--parameters", "large");

        assertThat(run.code()).isEqualTo(ExitCode.BAD_INPUT);
        assertThat(run.err())
                .contains("Cannot read a number of parameters from 'large': expected one such as 13B or 1.1B");
    }

    @Test
    void aSizeThatCannotBeGuessedIsBadInput() {
        CommandRun run = CommandRun.of("plan", "--parameters", "10M");

        assertThat(run.code()).isEqualTo(ExitCode.BAD_INPUT);
        assertThat(run.err())
                .contains("Cannot guess the shape of a model of 0.01B parameters: expected from 0.5B to 500B");
    }

    @Test
    void measuresARunOfEachMethodInAProcessOfItsOwn(@TempDir Path cache) throws IOException {
        CommandRun run = CommandRun.of(
                "plan",
                "--model",
                LLAMA,
                "--sequence-length",
                "16",
                "--shards",
                "2",
                "--measure",
                "--model-cache",
                cache.toString());

        assertThat(run.code()).as(run.err()).isEqualTo(ExitCode.OK);
        JsonNode measured = summary(run).path("measured");
        assertThat(measured.fieldNames()).toIterable().containsExactly("full", "lora", "qlora");
        measured.forEach(method -> assertThat(method.path("measured_bytes").asDouble())
                .isBetween(
                        method.path("predicted_bytes").asDouble() / SLACK,
                        method.path("predicted_bytes").asDouble() * SLACK));
    }

    @Test
    void measuringNeedsAModel() {
        CommandRun run = CommandRun.of("plan", "--parameters", "7B", "--measure");

        assertThat(run.code()).isEqualTo(ExitCode.BAD_INPUT);
        assertThat(run.err()).contains("--measure: expected --model with it, found none");
    }

    private static JsonNode summary(CommandRun run) throws IOException {
        return new ObjectMapper().readTree(run.summary());
    }
}
