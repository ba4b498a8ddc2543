package org.sparkqlora.command;

import static org.assertj.core.api.Assertions.as;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.assertj.core.api.InstanceOfAssertFactories;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.sparkqlora.JsonValues;
import org.sparkqlora.cli.CommandRun;
import org.sparkqlora.cli.TrainRuns;
import org.sparkqlora.command.demo.DemoLanguage;
import org.sparkqlora.command.demo.DemoModelJson;
import org.sparkqlora.options.Sessions;
import org.sparkqlora.storage.Sha256;

class TrainCommandTest {
    @TempDir
    Path folder;

    private Path model;
    private Path data;
    private Path output;

    @BeforeEach
    void writeInput() throws IOException {
        model = folder.resolve("model");
        data = folder.resolve("data.jsonl");
        output = folder.resolve("output");
        TrainRuns.in(folder);
    }

    @AfterAll
    static void stopSpark() {
        Sessions.stop();
    }

    @Test
    void aRunLeavesAnAdapterItsPlanAndALineAStep() throws IOException {
        CommandRun run = train(output, "--max-steps", "3");

        assertThat(run.code()).as(run.err()).isEqualTo(ExitCode.OK);
        assertThat(JsonValues.of(run.summary()))
                .containsEntry("command", "train")
                .containsEntry("steps", 3)
                .containsKey("first_loss");
        assertThat(output.resolve("adapter/adapter_config.json")).exists();
        assertThat(output.resolve("adapter/adapter_model.safetensors")).exists();
        assertThat(output.resolve("plan.json")).exists();
        assertThat(Files.readAllLines(output.resolve("metrics.jsonl"))).hasSize(3);
        assertThat(JsonValues.of(inspect("adapter")))
                .containsEntry("kind", "adapter")
                .containsEntry("rank", 16);
        assertThat(JsonValues.of(inspect("checkpoints")))
                .containsEntry("kind", "checkpoints")
                .containsEntry("newest_step", 3);
        assertThat(JsonValues.of(inspect("prepared")))
                .containsEntry("kind", "prepared rows")
                .containsEntry("examples", 96);
        assertThat(JsonValues.of(inspect(".")))
                .containsEntry("kind", "training output")
                .containsEntry("shards", 2);
    }

    @Test
    void aDryRunTellsWhatItWouldTakeAndLeavesNothing() throws IOException {
        CommandRun run = train(output, "--max-steps", "3", "--dry-run");

        assertThat(run.code()).as(run.err()).isEqualTo(ExitCode.OK);
        assertThat(JsonValues.of(run.summary()))
                .containsEntry("dry_run", true)
                .containsEntry("shards", 2)
                .containsKey("executor_heap_bytes");
        assertThat(run.err()).contains("JSON lines, found messages");
        assertThat(output).doesNotExist();
    }

    @Test
    void aDryRunReadsTheFirstRecords() throws IOException {
        Path bad = Files.writeString(folder.resolve("bad.jsonl"), "{\"question\": \"?\"}\n");
        CommandRun run = train(output, "--dry-run", "--eval-data", bad.toString());

        assertThat(run.code()).isEqualTo(ExitCode.BAD_INPUT);
        assertThat(run.err()).contains("Cannot read the first record of " + bad);

        Path empty = Files.writeString(folder.resolve("empty.jsonl"), "\n");
        assertThat(train(output, "--dry-run", "--eval-data", empty.toString()).err())
                .contains("Cannot read %s: expected records, found none".formatted(empty));
    }

    @Test
    void equalCommandsGiveEqualBytes() throws IOException {
        train(output, "--max-steps", "3");
        train(folder.resolve("again"), "--max-steps", "3");

        assertThat(adapter(folder.resolve("again"))).isEqualTo(adapter(output));
    }

    @ParameterizedTest
    @ValueSource(strings = {"all", "attention", "none"})
    void whatAPassKeepsChangesNoByte(String recompute) throws IOException {
        train(output, "--max-steps", "2");
        CommandRun keeping = train(folder.resolve("again"), "--max-steps", "2", "--recompute", recompute);

        assertThat(keeping.code()).as(keeping.err()).isEqualTo(ExitCode.OK);
        assertThat(adapter(folder.resolve("again"))).isEqualTo(adapter(output));
    }

    @Test
    void whatAPassTakesAndKeepsFollowsFromMemory() throws IOException {
        CommandRun run = train(output, "--max-steps", "1");

        assertThat(run.code()).as(run.err()).isEqualTo(ExitCode.OK);
        assertThat(run.err()).containsPattern("micro-batch size: [1-9][0-9]*, of rows of up to [0-9]+ tokens");
        assertThat(run.err()).contains("recompute: none (an executor may take ");
    }

    @Test
    void theWindowAndThePlaceOfPagesChangeNoByteAndMayChangeOnTheWay() throws IOException {
        List<String> full = List.of("--method", "full", "--max-steps", "4", "--checkpoint-every", "2");
        CommandRun memory = train(output, with(full, "--optimizer-pages", "memory"));
        CommandRun file =
                train(folder.resolve("again"), with(full, "--optimizer-pages", "file", "--optimizer-window", "16K"));

        assertThat(memory.code()).as(memory.err()).isEqualTo(ExitCode.OK);
        assertThat(file.code()).as(file.err()).isEqualTo(ExitCode.OK);
        assertThat(memory.err()).contains("optimizer pages: memory (as asked for");
        assertThat(folder.resolve("again/model/model.safetensors"))
                .hasSameBinaryContentAs(output.resolve("model/model.safetensors"));
        assertThat(train(output, with(full, "--optimizer-pages", "file")).err()).contains("resumed after step 4 of 4");
    }

    @Test
    void localStepsLeaveALineARoundAndKeepTheCheckpointsOfWholeRounds() throws IOException {
        CommandRun run = train(output, "--max-steps", "5", "--local-steps", "2", "--checkpoint-every", "3");

        assertThat(run.code()).as(run.err()).isEqualTo(ExitCode.OK);
        assertThat(Files.readAllLines(output.resolve("metrics.jsonl")))
                .hasSize(3)
                .allSatisfy(line -> assertThat(JsonValues.of(line)).containsKey("local_divergence"));
        assertThat(JsonValues.of(output.resolve("plan.json")))
                .extractingByKey("batches", as(InstanceOfAssertFactories.MAP))
                .containsEntry("local_steps", 2);
        assertThat(run.err()).contains("step 4  checkpoint written", "step 5  checkpoint written");
    }

    @Test
    void float16GoesOnFromACheckpointWithItsScaleOfTheLoss() throws IOException {
        List<String> half = List.of(
                "--precision", "fp16", "--checkpoint-every", "1", "--max-steps", "2", "--target-modules", "q_proj");
        CommandRun whole = train(output, with(half));
        CommandRun stopped = train(folder.resolve("again"), with(half));
        deleteCommits(folder.resolve("again/checkpoints"), "step-2-");
        CommandRun resumed = train(folder.resolve("again"), with(half));

        assertThat(whole.code()).as(whole.err()).isEqualTo(ExitCode.OK);
        assertThat(stopped.code()).as(stopped.err()).isEqualTo(ExitCode.OK);
        assertThat(resumed.err()).contains("resumed after step 1 of 2");
        assertThat(adapter(folder.resolve("again"))).isEqualTo(adapter(output));
        assertThat(JsonValues.of(output.resolve("plan.json"))).containsEntry("precision", "fp16");
    }

    @Test
    void aRunGoesOnInThePrecisionThatItWasBegunIn() throws IOException {
        CommandRun begun = train(output, "--precision", "fp32", "--max-steps", "1");
        CommandRun goesOn = train(output, "--precision", "auto", "--max-steps", "1");
        CommandRun other = train(output, "--precision", "bf16", "--max-steps", "1");

        assertThat(begun.code()).as(begun.err()).isEqualTo(ExitCode.OK);
        assertThat(goesOn.code()).as(goesOn.err()).isEqualTo(ExitCode.OK);
        assertThat(other.code()).isEqualTo(ExitCode.BAD_INPUT);
        assertThat(other.err()).contains("precision is bf16, was fp32");
        assertThat(JsonValues.of(output.resolve("plan.json"))).containsEntry("precision", "fp32");
    }

    @Test
    void float16HasOneScaleForAllShards() {
        CommandRun run = train(output, "--precision", "fp16", "--local-steps", "2");

        assertThat(run.code()).isEqualTo(ExitCode.BAD_INPUT);
        assertThat(run.err()).contains("--local-steps: expected --precision bf16 or fp32 with it, found fp16");
    }

    @Test
    void localStepsDoNotRoundWeightsOnTheWire() {
        CommandRun run = train(output, "--local-steps", "2", "--wire", "bf16");

        assertThat(run.code()).isEqualTo(ExitCode.BAD_INPUT);
        assertThat(run.err()).contains("--local-steps: expected --wire fp32 with it, found bf16");
    }

    @Test
    void aWindowWithoutRoomIsRefusedWithAllElse() {
        CommandRun run = train(output, "--optimizer-window", "1K", "--max-grad-norm", "-1");

        assertThat(run.code()).isEqualTo(ExitCode.BAD_INPUT);
        assertThat(run.err())
                .contains("--optimizer-window: expected at least 16384, found 1024", "--max-grad-norm: expected 0");
    }

    private static String[] with(List<String> options, String... more) {
        return Stream.concat(options.stream(), Stream.of(more)).toArray(String[]::new);
    }

    @Test
    void aFinishedRunIsNotRepeated() throws IOException {
        train(output, "--max-steps", "3");
        byte[] before = adapter(output);
        CommandRun again = train(output, "--max-steps", "3");

        assertThat(again.code()).as(again.err()).isEqualTo(ExitCode.OK);
        assertThat(again.err()).contains("resumed after step 3 of 3");
        assertThat(JsonValues.of(again.summary())).containsEntry("resumed_from", 3);
        assertThat(adapter(output)).isEqualTo(before);
    }

    @Test
    void theOutputOfAnotherPlanIsRefusedAndStaysAsItIs() throws IOException {
        train(output, "--max-steps", "3");
        byte[] before = adapter(output);
        CommandRun other = train(output, "--max-steps", "3", "--learning-rate", "1e-3");

        assertThat(other.code()).as(other.err()).isEqualTo(ExitCode.BAD_INPUT);
        assertThat(other.err()).contains("where another plan was begun", "Choose another --output");
        assertThat(adapter(output)).isEqualTo(before);
    }

    @Test
    void loraPlusIsPartOfThePlan() throws IOException {
        train(output, "--max-steps", "2", "--loraplus-ratio", "16");
        train(folder.resolve("plain"), "--max-steps", "2");
        CommandRun plain = train(output, "--max-steps", "2");

        assertThat(plain.code()).as(plain.err()).isEqualTo(ExitCode.BAD_INPUT);
        assertThat(plain.err()).contains("--loraplus-ratio is null, was 16.0");
        assertThat(adapter(output)).isNotEqualTo(adapter(folder.resolve("plain")));
    }

    @Test
    void weightDecayLeavesOutTheNormsAndBiasesOfAWholeModelAndNothingOfAnAdapter() throws IOException {
        train(folder.resolve("whole"), "--method", "full", "--weight-decay", "0.1", "--max-steps", "1");
        train(folder.resolve("adapter"), "--method", "lora", "--weight-decay", "0.1", "--max-steps", "1");

        assertThat(folder.resolve("whole/plan.json"))
                .content()
                .contains("\"weight_decay_on\" : \"without_norms_and_biases\"");
        assertThat(folder.resolve("adapter/plan.json")).content().doesNotContain("weight_decay_on");
    }

    @Test
    void noiseIsPartOfThePlan() throws IOException {
        train(output, "--max-steps", "2", "--neftune-noise-alpha", "5");
        train(folder.resolve("plain"), "--max-steps", "2");
        CommandRun plain = train(output, "--max-steps", "2");

        assertThat(plain.code()).as(plain.err()).isEqualTo(ExitCode.BAD_INPUT);
        assertThat(plain.err()).contains("--neftune-noise-alpha is null, was 5.0");
        assertThat(adapter(output)).isNotEqualTo(adapter(folder.resolve("plain")));
    }

    @Test
    void rowsOfAnotherPlanAreNotReplaced() throws IOException {
        train(output, "--max-steps", "3");
        byte[] manifest = Files.readAllBytes(output.resolve("prepared/manifest.json"));
        Files.write(
                data, DemoLanguage.base().stream().map(DemoModelJson::messages).toList());
        CommandRun other = train(output, "--max-steps", "3");

        assertThat(other.code()).as(other.err()).isEqualTo(ExitCode.BAD_INPUT);
        assertThat(other.err()).contains("where another plan was begun", "the data, its tokenizer");
        assertThat(output.resolve("prepared/manifest.json")).hasBinaryContent(manifest);
    }

    @Test
    void anAdapterOfOtherModulesIsRefused() {
        train(output, "--max-steps", "1", "--target-modules", "q_proj");
        Path config = output.resolve("adapter/adapter_config.json");
        replace(config, "q_proj", "k_proj");
        CommandRun run = CommandRun.of(
                "evaluate",
                "--model",
                model.toString(),
                "--data",
                data.toString(),
                "--adapter",
                output.resolve("adapter").toString(),
                "--model-cache",
                folder.resolve("cache").toString());

        assertThat(run.code()).as(run.err()).isEqualTo(ExitCode.BAD_INPUT);
        assertThat(run.err()).contains("k_proj");
    }

    @Test
    void preparedRowsAreTakenAsData() {
        prepareRows();

        assertThat(train(output, "--max-steps", "1").code()).isEqualTo(ExitCode.OK);
    }

    @Test
    void preparedRowsOfAnotherModelAreRefused() throws IOException {
        prepareRows();
        Path tokenizer = model.resolve("tokenizer.json");
        String ofRows = Sha256.hex(Files.readAllBytes(tokenizer));
        replace(tokenizer, "hoot", "toot");
        String ofModel = Sha256.hex(Files.readAllBytes(tokenizer));

        CommandRun run = train(output, "--max-steps", "1");

        assertThat(run.code()).as(run.err()).isEqualTo(ExitCode.BAD_INPUT);
        assertThat(run.err())
                .contains(
                        "Cannot use the prepared rows in %s: expected token ids of this model's tokenizer (SHA-256 of tokenizer.json %s), found those of another (%s). Prepare the data with this --model"
                                .formatted(data, ofModel, ofRows));
        assertThat(output).doesNotExist();
    }

    private void prepareRows() {
        Path rows = folder.resolve("rows");
        CommandRun prepared = CommandRun.of(
                "prepare",
                "--model",
                model.toString(),
                "--data",
                data.toString(),
                "--output",
                rows.toString(),
                "--sequence-length",
                "64");
        assertThat(prepared.code()).as(prepared.err()).isEqualTo(ExitCode.OK);
        data = rows;
    }

    private CommandRun train(Path to, String... options) {
        List<String> line = new ArrayList<>(List.of(
                "train",
                "--model",
                model.toString(),
                "--data",
                data.toString(),
                "--output",
                to.toString(),
                "--model-cache",
                folder.resolve("cache").toString(),
                "--sequence-length",
                "64",
                "--batch-size",
                "4",
                "--shards",
                "2"));
        if (!List.of(options).contains("--precision")) {
            line.addAll(List.of("--precision", "fp32"));
        }

        line.addAll(List.of(options));
        return CommandRun.of(line.toArray(String[]::new));
    }

    private static void deleteCommits(Path checkpoints, String prefix) throws IOException {
        try (Stream<Path> files = Files.list(checkpoints)) {
            for (Path file : files.filter(each -> each.getFileName().toString().startsWith(prefix))
                    .filter(Files::isRegularFile)
                    .toList()) {
                Files.delete(file);
            }
        }
    }

    private String inspect(String part) {
        return CommandRun.of("inspect", output.resolve(part).toString()).summary();
    }

    private static byte[] adapter(Path run) throws IOException {
        return Files.readAllBytes(run.resolve("adapter/adapter_model.safetensors"));
    }

    private static void replace(Path file, String before, String after) {
        try {
            Files.writeString(file, Files.readString(file).replace(before, after));
        } catch (IOException e) {
            throw new java.io.UncheckedIOException("Failed to change " + file, e);
        }
    }
}
