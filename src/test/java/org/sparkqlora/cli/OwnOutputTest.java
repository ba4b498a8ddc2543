package org.sparkqlora.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.sparkqlora.command.ExitCode;
import org.sparkqlora.options.Sessions;

/** A run writes only over what runs of its own have written, and never over what it reads. */
class OwnOutputTest {
    @TempDir
    Path folder;

    private Path output;
    private TrainRuns runs;

    @BeforeEach
    void writeInput() throws IOException {
        output = Files.createDirectory(folder.resolve("P"));
        runs = TrainRuns.in(folder);
    }

    @AfterAll
    static void stopSpark() {
        Sessions.stop();
    }

    @Test
    void aBaseInsideTheOutputIsRefusedAndUntouched() throws IOException {
        Files.move(folder.resolve("model"), output.resolve("model"));

        assertRefused(runs.withModel(output.resolve("model").toString()), "--model", "--method", "full");
    }

    @Test
    void aBaseThatALinkInTheOutputLeadsToIsRefusedAndUntouched() throws IOException {
        Files.createSymbolicLink(output.resolve("model"), folder.resolve("model"));

        assertRefused(runs, "--model", "--method", "full");
    }

    @Test
    void aBaseThatALinkElsewhereCallsIsRefusedAndUntouched() throws IOException {
        Files.move(folder.resolve("model"), output.resolve("model"));
        Path link = Files.createSymbolicLink(folder.resolve("link"), output.resolve("model"));

        assertRefused(runs.withModel(link.toString()), "--model", "--method", "full");
    }

    @Test
    void anAdapterInsideTheOutputIsRefusedAndUntouched() throws IOException {
        assertThat(runs.train(folder.resolve("first").toString(), "--max-steps", "1")
                        .code())
                .isEqualTo(ExitCode.OK);
        Files.move(folder.resolve("first/adapter"), output.resolve("adapter"));

        assertRefused(
                runs,
                "--init-adapter",
                "--init-adapter",
                output.resolve("adapter").toString());
    }

    @Test
    void preparedRowsInsideTheOutputAreRefused() throws IOException {
        Path prepared = Files.createDirectory(output.resolve("prepared"));

        assertRefused(runs, "--prepared", "--prepared", prepared.toString());
    }

    @Test
    void dataInsideTheOutputAreRefusedAlsoWhereAGlobOrAWeightNamesThem() throws IOException {
        Path data = Files.move(runs.data(), output.resolve("data.jsonl"));

        assertRefused(runs.withData(data.toString()), "--data");
        assertRefused(runs.withData(folder + "/*/data.jsonl"), "--data");
        assertRefused(runs.withData(data + "=0.5," + data + "=0.5"), "--data");
    }

    @Test
    void aResultThatNoRunHasMadeIsRefusedAndUntouched() throws IOException {
        for (String name : new String[] {"adapter", "model", "best", "checkpoints"}) {
            Path foreign = folder.resolve("of-" + name);
            Files.createDirectories(foreign.resolve(name));
            Files.writeString(foreign.resolve(name).resolve("thesis.txt"), "years of work");

            CommandRun run = runs.train(foreign.toString(), "--max-steps", "1");

            assertThat(run.code()).as(run.err()).isEqualTo(ExitCode.BAD_INPUT);
            assertThat(run.err())
                    .contains("expected no %s without the plan.json of a run beside it, found one".formatted(name));
            assertThat(Folders.content(foreign)).containsOnlyKeys(name + "/thesis.txt");
        }
    }

    @Test
    void aDryRunKeepsAFileThatSomebodyElsePutThere() throws IOException {
        Path foreign = Files.writeString(output.resolve("notes.txt"), "mine");

        CommandRun run = runs.train(output.toString(), "--dry-run");

        assertThat(run.code()).as(run.err()).isEqualTo(ExitCode.OK);
        assertThat(Folders.content(output)).containsOnlyKeys("notes.txt");
        assertThat(foreign).hasContent("mine");
    }

    @Test
    void aRunThatIsOverwrittenGivesWhatAFreshOneGivesAndForeignFilesStay() throws IOException {
        assertThat(train("--max-steps", "2", "--keep-best", "--eval-fraction", "0.1")
                        .code())
                .isEqualTo(ExitCode.OK);
        Files.writeString(output.resolve("adapter/README.md"), "a model card");
        Files.writeString(output.resolve("checkpoints/notes.txt"), "mine");
        CommandRun refused = train("--max-steps", "3", "--seed", "7");
        assertThat(refused.code()).isEqualTo(ExitCode.BAD_INPUT);
        assertThat(refused.err()).contains("Choose another --output, or --overwrite it.");

        CommandRun run = train("--max-steps", "3", "--seed", "7", "--overwrite");

        assertThat(run.code()).as(run.err()).isEqualTo(ExitCode.OK);
        assertThat(run.err())
                .contains("--overwrite: removing plan.json, metrics.jsonl, report.html, checkpoints, best, adapter");
        assertThat(output.resolve("adapter/README.md")).hasContent("a model card");
        assertThat(output.resolve("checkpoints/notes.txt")).hasContent("mine");
        assertThat(Files.readAllLines(output.resolve("metrics.jsonl"))).hasSize(3);
        Path fresh = folder.resolve("fresh");
        assertThat(runs.train(fresh.toString(), "--max-steps", "3", "--seed", "7")
                        .code())
                .isEqualTo(ExitCode.OK);
        assertThat(output.resolve("adapter/adapter_model.safetensors"))
                .hasSameBinaryContentAs(fresh.resolve("adapter/adapter_model.safetensors"));

        CommandRun again = train("--max-steps", "3", "--seed", "7", "--overwrite");
        assertThat(again.err()).contains("resumed after step 3 of 3").doesNotContain("removing");
    }

    @Test
    void aModelThatIsOverwrittenKeepsForeignFilesAndNeverItsOwnBase() throws IOException {
        CommandRun first = quantize("--block-size", "32");
        assertThat(first.code()).as(first.err()).isEqualTo(ExitCode.OK);
        byte[] before = Files.readAllBytes(output.resolve("q/model.safetensors"));
        Files.writeString(output.resolve("q/README.md"), "a model card");
        assertThat(quantize().err()).contains("expected a folder that does not exist yet, found one");

        CommandRun run = quantize("--overwrite");

        assertThat(run.code()).as(run.err()).isEqualTo(ExitCode.OK);
        assertThat(run.err())
                .contains(
                        "--overwrite: replacing config.json, model.safetensors, published.json, tokenizer.json, tokenizer_config.json");
        assertThat(Files.readAllBytes(output.resolve("q/model.safetensors"))).isNotEqualTo(before);
        assertThat(output.resolve("q/README.md")).hasContent("a model card");
        CommandRun onto = CommandRun.of("quantize", "--model", runs.model(), "--output", runs.model(), "--overwrite");
        assertThat(onto.code()).isEqualTo(ExitCode.BAD_INPUT);
        assertThat(onto.err()).contains("expected every input outside of it, found --model " + runs.model());
    }

    @Test
    void aFolderThatIsNoModelIsNotOverwritten() throws IOException {
        Files.writeString(Files.createDirectory(output.resolve("q")).resolve("thesis.txt"), "years of work");

        CommandRun run = quantize("--overwrite");

        assertThat(run.code()).isEqualTo(ExitCode.BAD_INPUT);
        assertThat(run.err()).contains("Cannot overwrite", "expected a folder with a config.json, found none");
        assertThat(Folders.content(output)).containsOnlyKeys("q/thesis.txt");
    }

    @Test
    void aFileThatIsNoResultIsNotReplacedByOne() throws IOException {
        Path thesis = Files.writeString(folder.resolve("thesis.txt"), "years of work");

        CommandRun run = CommandRun.of("--result", thesis.toString(), "inspect", runs.model());

        assertThat(run.code()).isEqualTo(ExitCode.BAD_INPUT);
        assertThat(run.err()).contains("--result: Cannot replace " + thesis);
        assertThat(thesis).hasContent("years of work");
        Path result = folder.resolve("result.json");
        for (int i = 0; i < 2; i++) {
            assertThat(CommandRun.of("--result", result.toString(), "inspect", runs.model())
                            .code())
                    .isEqualTo(ExitCode.OK);
        }
    }

    @Test
    void whatIsNoFileIsNotReplacedByAResult() throws IOException {
        Path device = Files.createSymbolicLink(folder.resolve("device"), Path.of("/dev/null"));
        Path linked = Files.createSymbolicLink(folder.resolve("linked"), output);

        for (Path place : new Path[] {device, linked, output}) {
            CommandRun run = CommandRun.of("--result", place.toString(), "inspect", runs.model());

            assertThat(run.code()).as(run.err()).isEqualTo(ExitCode.BAD_INPUT);
            assertThat(run.err()).contains("--result: Cannot replace " + place);
            assertThat(run.out()).isEmpty();
        }

        assertThat(device).isSymbolicLink();
        assertThat(linked).isSymbolicLink();
    }

    private CommandRun quantize(String... options) {
        return CommandRun.of(Stream.concat(
                        Stream.of(
                                "quantize",
                                "--model",
                                runs.model(),
                                "--output",
                                output.resolve("q").toString()),
                        Stream.of(options))
                .toArray(String[]::new));
    }

    private CommandRun train(String... options) {
        return runs.train(output.toString(), options);
    }

    private void assertRefused(TrainRuns refused, String option, String... options) throws IOException {
        Map<String, String> before = Folders.content(folder);

        CommandRun run = refused.train(
                output.toString(),
                Stream.concat(Stream.of("--max-steps", "1"), Stream.of(options)).toArray(String[]::new));

        assertThat(run.code()).as(run.err()).isEqualTo(ExitCode.BAD_INPUT);
        assertThat(run.err())
                .contains(
                        "Cannot write to %s: expected every input outside of it, found %s ".formatted(output, option));
        assertThat(Folders.content(folder)).isEqualTo(before);
    }
}
