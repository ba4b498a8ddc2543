package org.sparkqlora.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.stream.Stream;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileStatus;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.FileUtil;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.TempDir;
import org.sparkqlora.command.ExitCode;
import org.sparkqlora.options.Sessions;
import org.sparkqlora.run.output.RunFiles;
import org.sparkqlora.spark.cluster.Location;
import org.sparkqlora.storage.FolderSize;

/** Runs whose model, data and output are on a store. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
abstract class StoreContract {
    private static final String[] OPTIONS = {"--max-steps", "4", "--checkpoint-every", "2"};

    private Map<String, String> settings = Map.of();

    /** A folder of the store, which has been started by now. */
    abstract String root();

    /** The settings of the store that a user gives to spark-submit, each with {@code spark.hadoop.} before it. */
    abstract Map<String, String> settings();

    @BeforeAll
    void tellSpark() {
        settings = settings();
        settings.forEach((key, value) -> System.setProperty("spark.hadoop." + key, value));
    }

    @AfterAll
    void stopSpark() {
        Sessions.stop();
        settings.keySet().forEach(key -> System.clearProperty("spark.hadoop." + key));
    }

    @Test
    void aRunThereEqualsALocalOneAlsoWhenItsEndIsLostAndTakenAgain(@TempDir Path folder) throws IOException {
        TrainRuns runs = TrainRuns.in(folder);
        String local = folder.resolve("local").toString();
        assertThat(runs.train(local, OPTIONS).code()).isEqualTo(ExitCode.OK);
        StoredRun expected = StoredRun.read(local);
        TrainRuns there = runs.withData(copy(runs.data(), "data.jsonl"));
        String output = root() + "/runs/output";
        CommandRun first = there.train(output, OPTIONS);
        assertThat(first.code()).as(first.err()).isEqualTo(ExitCode.OK);
        StoredRun.read(output).assertEquals(expected);
        assertThat(Location.parse(output).resolve(RunFiles.REPORT).text())
                .hasValueSatisfying(report -> assertThat(report).endsWith("</html>\n"));

        loseCheckpoint(4, Location.parse(output));
        CommandRun again = there.train(output, OPTIONS);
        assertThat(again.code()).as(again.err()).isEqualTo(ExitCode.OK);
        assertThat(again.err()).contains("resumed after step 2 of 4");
        StoredRun.read(output).assertEquals(expected);

        CommandRun continued =
                there.train(root() + "/runs/next", "--max-steps", "1", "--init-adapter", output + "/adapter");
        assertThat(continued.code()).as(continued.err()).isEqualTo(ExitCode.OK);
        CommandRun evaluation = there.evaluate(output + "/adapter");
        assertThat(evaluation.code()).as(evaluation.err()).isEqualTo(ExitCode.OK);
    }

    /** After a checkpoint is whole there; what the driver had begun to write lies beside it. */
    @Test
    void aRunWithAllOfItThereThatIsKilledGoesOnThere(@TempDir Path folder) throws IOException, InterruptedException {
        TrainRuns runs = TrainRuns.in(folder);
        String[] options = {"--max-steps", "24", "--checkpoint-every", "8"};
        String local = folder.resolve("local").toString();
        assertThat(runs.train(local, options).code()).isEqualTo(ExitCode.OK);
        TrainRuns there = runs.withModel(copy(folder.resolve("model"), "all/model"))
                .withData(copy(runs.data(), "all/data.jsonl"));
        String output = root() + "/all/output";
        Location stored = Location.parse(output);

        DriverProcess.start(folder.resolve("driver.log"), flags(), there.command(output, options))
                .killOnce(() -> found(stored, "checkpoints/step-8-*.json"));

        assertThat(found(stored, "adapter")).isFalse();
        CommandRun again = there.train(output, options);
        assertThat(again.code()).as(again.err()).isEqualTo(ExitCode.OK);
        assertThat(again.err()).containsPattern("resumed after step (8|16) of 24");
        StoredRun.read(output).assertEquals(StoredRun.read(local));
    }

    @Test
    void aModelThereIsCopiedOnceAndTrainsAsALocalOne(@TempDir Path folder) throws IOException {
        TrainRuns runs = TrainRuns.in(folder);
        String[] options = {"--max-steps", "1", "--method", "lora"};
        assertThat(runs.train(folder.resolve("local").toString(), options).code())
                .isEqualTo(ExitCode.OK);
        String model = copy(folder.resolve("model"), "models/owl");

        TrainRuns there = runs.withModel(model);
        String output = folder.resolve("there").toString();
        CommandRun run = there.train(output, options);
        assertThat(run.code()).as(run.err()).isEqualTo(ExitCode.OK);
        CommandRun evaluation = there.evaluate(output + "/adapter", "--method", "lora");
        assertThat(evaluation.code()).as(evaluation.err()).isEqualTo(ExitCode.OK);

        String adapter = "adapter/adapter_model.safetensors";
        assertThat(folder.resolve("there").resolve(adapter))
                .hasSameBinaryContentAs(folder.resolve("local").resolve(adapter));
        assertThat(Files.readString(folder.resolve("there/adapter/adapter_config.json")))
                .contains("\"base_model_name_or_path\": \"" + model + "\"");
        try (Stream<Path> copies = Files.list(runs.cache())) {
            assertThat(copies.filter(Files::isDirectory)).hasSize(1);
        }

        CommandRun none = runs.withModel(root() + "/models/none").train(output, options);
        assertThat(none.code()).as(none.err()).isEqualTo(ExitCode.BAD_INPUT);
        assertThat(none.err())
                .contains("Cannot open model", "/models/none: expected a folder or a .gguf file, found nothing");
    }

    @Test
    void modelsThatGoThereEqualLocalOnes(@TempDir Path folder) throws IOException {
        TrainRuns runs = TrainRuns.in(folder);
        String run = folder.resolve("run").toString();
        assertThat(runs.train(run, "--max-steps", "1").code()).isEqualTo(ExitCode.OK);

        String[] quantize = {"quantize", "--model", runs.model()};
        Location quantized = assertSameThere(folder, "quantized", quantize);
        CommandRun whole = withOutput(quantized.toString(), quantize);
        assertThat(whole.code()).as(whole.err()).isEqualTo(ExitCode.OK);
        assertThat(whole.err()).contains(quantized + " is there already, of the same model and options");
        String[] merge = {"merge", "--model", runs.model(), "--adapter", run + "/adapter"};
        assertSameThere(folder, "merged", merge);
        String[] mergeQuantized =
                Stream.concat(Stream.of(merge), Stream.of("--quantize")).toArray(String[]::new);
        Location merged = assertSameThere(folder, "merged-4bit", mergeQuantized);
        CommandRun again = withOutput(merged.toString(), mergeQuantized);
        assertThat(again.code()).isEqualTo(ExitCode.BAD_INPUT);
        assertThat(again.err())
                .contains("Cannot write " + merged + ": expected a folder that does not exist yet, found one");
    }

    /** From a model there to four bits there, which is all that the training has. */
    @Test
    void aModelThatWasQuantisedThereTrainsWithoutTheOriginal(@TempDir Path folder) throws IOException {
        TrainRuns runs = TrainRuns.in(folder);
        String[] options = {"--max-steps", "1"};
        assertThat(runs.train(folder.resolve("local").toString(), options).code())
                .isEqualTo(ExitCode.OK);
        Location original = Location.parse(copy(folder.resolve("model"), "base/original"));
        String quantized = root() + "/base/quantized";
        CommandRun written =
                withOutput(quantized, "quantize", "--model", original.toString(), "--max-shard-size", "100K");
        assertThat(written.code()).as(written.err()).isEqualTo(ExitCode.OK);
        original.files().delete(original.path(), true);

        TrainRuns there = runs.withModel(quantized).withCache(folder.resolve("host"));
        CommandRun run = there.train(folder.resolve("there").toString(), options);

        assertThat(run.code()).as(run.err()).isEqualTo(ExitCode.OK);
        String adapter = "adapter/adapter_model.safetensors";
        assertThat(folder.resolve("there").resolve(adapter))
                .hasSameBinaryContentAs(folder.resolve("local").resolve(adapter));
        long bytes = Location.parse(quantized)
                .files()
                .getContentSummary(Location.parse(quantized).path())
                .getLength();
        assertThat(FolderSize.of(there.cache())).isPositive().isLessThan(bytes); // but for published.json

        Location part = Location.parse(quantized + "/model-00001-of-00003.safetensors");
        assertThat(part.exists()).isTrue();
        flipLastByte(part);
        CommandRun damaged = there.withCache(folder.resolve("other-host")).train(root() + "/base/run", options);
        assertThat(damaged.code()).as(damaged.err()).isEqualTo(ExitCode.BAD_INPUT);
        assertThat(damaged.err()).containsOnlyOnce("Cannot trust " + part + ": expected SHA-256 ");
    }

    private static void flipLastByte(Location file) throws IOException {
        byte[] bytes;
        try (InputStream in = file.files().open(file.path())) {
            bytes = in.readAllBytes();
        }

        bytes[bytes.length - 1]++;
        try (OutputStream out = file.files().create(file.path(), true)) {
            out.write(bytes);
        }
    }

    @Test
    void whatARunReadsIsNotWhereItWritesAndForeignFilesStayThere(@TempDir Path folder) throws IOException {
        TrainRuns runs = TrainRuns.in(folder);
        String base = copy(folder.resolve("model"), "own/P/model");
        String data = copy(runs.data(), "own/P/data.jsonl");
        String output = root() + "/own/P";
        List<String> before = listing(Location.parse(output));

        assertRefused(runs.withModel(base).train(output, "--method", "full"), "--model");
        assertRefused(runs.withData(data).train(output), "--data");
        assertRefused(runs.withData(root() + "/own/*/data.jsonl").train(output), "--data");
        assertRefused(runs.train(output, "--prepared", output + "/rows"), "--prepared");
        assertRefused(runs.train(output, "--init-adapter", output + "/adapter"), "--init-adapter");
        CommandRun foreign = runs.train(output, "--method", "full");
        assertThat(foreign.code()).as(foreign.err()).isEqualTo(ExitCode.BAD_INPUT);
        assertThat(foreign.err()).contains("expected no model without the plan.json of a run beside it");
        CommandRun dry = runs.train(root() + "/own/dry/run", "--dry-run");
        assertThat(dry.code()).as(dry.err()).isEqualTo(ExitCode.OK);

        assertThat(listing(Location.parse(output))).isEqualTo(before);
        assertThat(Location.parse(root() + "/own/dry").exists()).isFalse();
    }

    @Test
    void anAdapterThatIsMadeAgainThereKeepsWhatSomebodyPutBesideIt(@TempDir Path folder) throws IOException {
        TrainRuns runs = TrainRuns.in(folder);
        String output = root() + "/again/run";
        assertThat(runs.train(output, "--max-steps", "1").code()).isEqualTo(ExitCode.OK);
        Location card = Location.parse(output + "/adapter/README.md");
        card.replaceText("a model card");
        Location begun = Location.parse(output + "/.adapter.tmp-%s/adapter_config.json".formatted(UUID.randomUUID()));
        begun.replaceText("{");

        CommandRun again = runs.train(output, "--max-steps", "1");

        assertThat(again.code()).as(again.err()).isEqualTo(ExitCode.OK);
        assertThat(card.text()).hasValue("a model card");
        assertThat(begun.exists()).isFalse();
        assertThat(listing(Location.parse(output)))
                .noneMatch(name -> name.startsWith(".adapter"))
                .contains("adapter");
    }

    private static void assertRefused(CommandRun run, String option) {
        assertThat(run.code()).as(run.err()).isEqualTo(ExitCode.BAD_INPUT);
        assertThat(run.err()).contains("expected every input outside of it, found " + option + " ");
    }

    private static List<String> listing(Location folder) throws IOException {
        return Stream.of(folder.files().listStatus(folder.path()))
                .map(status -> status.getPath().getName())
                .sorted()
                .toList();
    }

    private Location assertSameThere(Path folder, String name, String... line) throws IOException {
        Path local = folder.resolve(name);
        Location there = Location.parse(root() + "/out/" + name);
        assertThat(withOutput(local.toString(), line).code()).isEqualTo(ExitCode.OK);
        CommandRun run = withOutput(there.toString(), line);
        assertThat(run.code()).as(run.err()).isEqualTo(ExitCode.OK);
        assertThat(run.summary()).contains("\"output\":\"" + there + "\"");

        Path back = folder.resolve(name + "-back");
        there.files().copyToLocalFile(false, there.path(), new org.apache.hadoop.fs.Path(back.toString()), true);
        try (Stream<Path> files = Files.list(local)) {
            for (Path file : files.toList()) {
                assertThat(back.resolve(file.getFileName())).hasSameBinaryContentAs(file);
            }
        }

        return there;
    }

    /** Tells where the copy is. */
    private String copy(Path file, String name) throws IOException {
        Location there = Location.parse(root() + "/" + name);
        Location here = Location.of(file);
        // As files are written to a store; the uploads of copyFromLocalFile are by another client, which moto confuses.
        FileUtil.copy(here.files(), here.path(), there.files(), there.path(), false, new Configuration());
        return there.toString();
    }

    private static boolean found(Location folder, String pattern) throws IOException {
        FileStatus[] matches = folder.files().globStatus(folder.resolve(pattern).path());
        return matches != null && matches.length > 0;
    }

    private List<String> flags() {
        return settings.entrySet().stream()
                .map(setting -> "-Dspark.hadoop.%s=%s".formatted(setting.getKey(), setting.getValue()))
                .toList();
    }

    private static CommandRun withOutput(String output, String... line) {
        return CommandRun.of(
                Stream.concat(Stream.of(line), Stream.of("--output", output)).toArray(String[]::new));
    }

    private static void loseCheckpoint(int step, Location output) throws IOException {
        FileSystem files = output.files();
        for (var status : files.listStatus(output.resolve("checkpoints").path())) {
            if (status.getPath().getName().startsWith("step-" + step)) {
                files.delete(status.getPath(), true);
            }
        }
    }
}
