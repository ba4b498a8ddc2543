package org.sparkqlora.run.output;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.data.Offset.offset;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.sparkqlora.cli.CommandRun;
import org.sparkqlora.cli.Folders;
import org.sparkqlora.cli.TrainRuns;
import org.sparkqlora.command.ExitCode;
import org.sparkqlora.options.Sessions;

/** Runs whose adapters begin as a part of their base. */
class InitialAdapterTest {
    /** Of losses near 3 in float32: a weight and its two parts differ by the rounding of the parts. */
    private static final double TOLERANCE = 2e-5;

    @TempDir
    private Path folder;

    private TrainRuns runs;

    @BeforeEach
    void writeInput() throws IOException {
        runs = TrainRuns.in(folder);
    }

    @AfterAll
    static void stopSpark() {
        Sessions.stop();
    }

    @ParameterizedTest
    @ValueSource(strings = {"pissa", "pissa_niter_4", "olora"})
    void aRunStartsWithTheLossOfItsBase(String how) throws IOException {
        double base = summary(train("plain", "--method", "lora", "--max-steps", "1"))
                .path("first_loss")
                .asDouble();
        CommandRun run = train("output", "--method", "lora", "--max-steps", "1", "--init-lora-weights", how);

        assertThat(summary(run).path("first_loss").asDouble()).isCloseTo(base, offset(TOLERANCE));
        assertThat(run.err()).contains("took adapters of", "out of the base (" + how + ")");
        assertThat(folder.resolve("output/plan.json")).content().contains("taken_factors_sha256");
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "--use-dora", "--use-rslora", "--rank-pattern=q_proj=3", "--modules-to-save=lm_head"})
    void theAdapterOfARunIsOneOfTheBaseAsItWas(String more) throws IOException {
        List<String> options = new ArrayList<>(List.of(
                "--method", "lora", "--max-steps", "4", "--learning-rate", "1e-2", "--init-lora-weights", "pissa"));
        options.addAll(List.of(
                "--rank", "4", "--alpha", "6", "--eval-data", runs.data().toString()));
        if (!more.isEmpty()) {
            options.add(more);
        }

        JsonNode summary = summary(train("output", options.toArray(String[]::new)));
        double loss = evaluate("--method", "lora", "--adapter", output("output/adapter"));

        assertThat(loss).isCloseTo(summary.path("eval_loss").asDouble(), offset(TOLERANCE));
        assertThat(loss).isLessThan(evaluate("--method", "lora") - 0.01);
        assertThat(summary(CommandRun.of("inspect", output("output/adapter")))
                        .path("rank")
                        .asInt())
                .isEqualTo(8);
        assertThat(summary(CommandRun.of("inspect", output("output/initial-adapter")))
                        .path("rank")
                        .asInt())
                .isEqualTo(4);
    }

    @Test
    void theAdapterMergesIntoTheBaseAsItWas() throws IOException {
        JsonNode summary = summary(
                train("output", with(taking("lora"), "--eval-data", runs.data().toString())));
        succeeded(CommandRun.of(
                "merge", "--model", model(), "--adapter", output("output/adapter"), "--output", output("merged")));

        double merged = summary(CommandRun.of(evaluation(output("merged"), "--method", "lora")))
                .path("loss")
                .asDouble();

        assertThat(merged).isCloseTo(summary.path("eval_loss").asDouble(), offset(TOLERANCE));
    }

    @Test
    void whatIsLeftOfTheBaseIsBroughtToFourBits() throws IOException {
        JsonNode plain = summary(train("plain", "--max-steps", "1"));
        JsonNode taken = summary(
                train("output", with(taking("qlora"), "--eval-data", runs.data().toString())));

        assertThat(taken.path("first_loss").asDouble())
                .isNotEqualTo(plain.path("first_loss").asDouble())
                .isCloseTo(plain.path("first_loss").asDouble(), offset(0.05));
        assertThat(evaluate("--method", "qlora", "--adapter", output("output/adapter")))
                .as("the base as it was, in four bits, is another one than what is left of it")
                .isCloseTo(taken.path("eval_loss").asDouble(), offset(0.05));
    }

    @ParameterizedTest
    @ValueSource(strings = {"lora", "qlora"})
    void equalCommandsGiveEqualBytesOnFreshHosts(String method) throws IOException {
        succeeded(train("output", taking(method)));
        Folders.delete(folder.resolve("cache"));
        succeeded(train("again", taking(method)));

        assertThat(folder.resolve("again/adapter/adapter_model.safetensors"))
                .hasSameBinaryContentAs(folder.resolve("output/adapter/adapter_model.safetensors"));
    }

    @ParameterizedTest
    @ValueSource(strings = {"lora", "qlora"})
    void aResumedRunUsesWhatItTookAndEndsWithTheSameBytes(String method) throws IOException {
        String[] options = with(taking(method), "--checkpoint-every", "2");
        succeeded(train("output", options));
        Path adapter = folder.resolve("output/adapter/adapter_model.safetensors");
        byte[] whole = Files.readAllBytes(adapter);
        forgetNewestCheckpoint();
        Folders.delete(folder.resolve("output/adapter"));
        Folders.delete(folder.resolve("cache"));

        CommandRun resumed = train("output", options);

        assertThat(succeeded(resumed).err())
                .contains("resumed after step 2 of 4")
                .doesNotContain("took adapters");
        assertThat(adapter).hasBinaryContent(whole);
    }

    @Test
    void aRunThatLostWhatItTookIsRefused() throws IOException {
        String[] options = taking("lora");
        succeeded(train("output", options));
        Path taken = folder.resolve("output/initial-adapter/adapter_model.safetensors");
        byte[] bytes = Files.readAllBytes(taken);
        bytes[bytes.length - 1] ^= 1;
        Files.write(taken, bytes);

        CommandRun run = train("output", options);

        assertThat(run.code()).isEqualTo(ExitCode.BAD_INPUT);
        assertThat(run.err()).contains("expected the one that this run took out of its base when it began, of SHA-256");
    }

    @Test
    void anotherWayToBeginIsAnotherPlan() throws IOException {
        succeeded(train("output", taking("lora")));

        CommandRun run =
                train("output", "--method", "lora", "--max-steps", "4", "--rank", "4", "--init-lora-weights", "olora");

        assertThat(run.code()).isEqualTo(ExitCode.BAD_INPUT);
        assertThat(run.err())
                .contains("--init-lora-weights is olora, was pissa")
                .doesNotContain("took adapters");
    }

    @Test
    void adaptersThatAreThereAreNotTakenOutOfTheBase() {
        CommandRun run = train("output", with(taking("lora"), "--init-adapter", model()));

        assertThat(run.code()).isEqualTo(ExitCode.BAD_INPUT);
        assertThat(run.err())
                .contains("--init-lora-weights: expected none of pissa and olora with --init-adapter, found pissa");
    }

    @Test
    void aBaseInFourBitsIsRefusedBeforeAnyWork() throws IOException {
        succeeded(CommandRun.of("quantize", "--model", model(), "--output", output("four-bits")));

        List<String> line = new ArrayList<>(List.of("train", "--model", output("four-bits")));
        line.addAll(List.of("--data", runs.data().toString(), "--output", output("output")));
        line.addAll(List.of(taking("qlora")));
        CommandRun run = CommandRun.of(line.toArray(String[]::new));

        assertThat(run.code()).isEqualTo(ExitCode.BAD_INPUT);
        assertThat(run.err())
                .contains(
                        "Cannot take adapters (pissa) out of",
                        "expected weights in 16 or 32 bits, found 4-bit weights");
        assertThat(folder.resolve("output/plan.json")).doesNotExist();
    }

    @Test
    void anUnknownWayToBeginIsAnsweredWithTheKnown() {
        CommandRun run = train("output", "--init-lora-weights", "pissa_niter_x");

        assertThat(run.code()).isEqualTo(ExitCode.BAD_INPUT);
        assertThat(run.err()).contains("expected default, gaussian, pissa, pissa_niter_N or olora");
    }

    private static String[] taking(String method) {
        return new String[] {
            "--method",
            method,
            "--max-steps",
            "4",
            "--learning-rate",
            "1e-2",
            "--rank",
            "4",
            "--init-lora-weights",
            "pissa"
        };
    }

    private static String[] with(String[] options, String... more) {
        return Stream.concat(Stream.of(options), Stream.of(more)).toArray(String[]::new);
    }

    private CommandRun train(String output, String... options) {
        return runs.train(output(output), options);
    }

    private double evaluate(String... options) throws IOException {
        return summary(CommandRun.of(evaluation(model(), options))).path("loss").asDouble();
    }

    private String[] evaluation(String model, String... options) {
        List<String> line = new ArrayList<>(
                List.of("evaluate", "--model", model, "--data", runs.data().toString()));
        line.addAll(List.of("--precision", "fp32", "--sequence-length", "64", "--model-cache", output("cache")));
        line.addAll(List.of(options));
        return line.toArray(String[]::new);
    }

    private String model() {
        return output("model");
    }

    private String output(String name) {
        return folder.resolve(name).toString();
    }

    private void forgetNewestCheckpoint() throws IOException {
        try (Stream<Path> files = Files.list(folder.resolve("output/checkpoints"))) {
            for (Path file : files.filter(path -> path.getFileName().toString().startsWith("step-4-"))
                    .toList()) {
                Folders.delete(file);
            }
        }
    }

    private static CommandRun succeeded(CommandRun run) {
        assertThat(run.code()).as(run.err()).isEqualTo(ExitCode.OK);
        return run;
    }

    private static JsonNode summary(CommandRun run) throws IOException {
        return new ObjectMapper().readTree(succeeded(run).summary());
    }
}
