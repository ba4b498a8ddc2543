package org.sparkqlora.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.sparkqlora.command.ExitCode;
import org.sparkqlora.command.demo.DemoModel;
import org.sparkqlora.options.Sessions;

/** A run goes on with the base that it began with. */
class ReplacedBaseTest {
    @TempDir
    Path folder;

    private TrainRuns runs;

    @BeforeEach
    void train() throws IOException {
        runs = TrainRuns.in(folder);
        CommandRun run = again();
        assertThat(run.code()).as(run.err()).isEqualTo(ExitCode.OK);
    }

    @AfterAll
    static void stopSpark() {
        Sessions.stop();
    }

    @Test
    void weightsThatWereReplacedAtTheSamePathAreRefused() throws IOException {
        byte[] adapter = Files.readAllBytes(folder.resolve("output/adapter/adapter_model.safetensors"));
        Folders.delete(folder.resolve("model"));
        DemoModel.write(folder.resolve("model"), 2);

        CommandRun run = again();

        assertThat(run.code()).as(run.err()).isEqualTo(ExitCode.BAD_INPUT);
        assertThat(run.err())
                .contains("Cannot continue in %s, where another plan was begun: the weights of %s were replaced"
                        .formatted(folder.resolve("output"), folder.resolve("model")));
        assertThat(folder.resolve("output/adapter/adapter_model.safetensors")).hasBinaryContent(adapter);
    }

    @Test
    void theSameWeightsCopiedAnewAreTaken() throws IOException {
        Files.setLastModifiedTime(folder.resolve("model/model.safetensors"), FileTime.fromMillis(1_000_000));

        CommandRun run = again();

        assertThat(run.code()).as(run.err()).isEqualTo(ExitCode.OK);
        assertThat(run.err()).contains("resumed after step 1 of 1");
    }

    private CommandRun again() {
        return runs.train(folder.resolve("output").toString(), "--max-steps", "1");
    }
}
