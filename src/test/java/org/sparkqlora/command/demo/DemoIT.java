package org.sparkqlora.command.demo;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.sparkqlora.cli.CommandRun;
import org.sparkqlora.command.ExitCode;
import org.sparkqlora.options.Sessions;

class DemoIT {
    @TempDir
    Path folder;

    @AfterAll
    static void stopSpark() {
        Sessions.stop();
    }

    @Test
    void theTinyModelLearnsToSpeakLikeAPirate() throws IOException {
        Path output = folder.resolve("demo");
        CommandRun run = CommandRun.of("demo", "--output", output.toString());

        assertThat(run.code()).as(run.err()).isEqualTo(ExitCode.OK);
        JsonNode summary = new ObjectMapper().readTree(run.summary());
        assertThat(summary.path("loss_after").asDouble())
                .isLessThan(summary.path("loss_before").asDouble() / 4);
        assertThat(summary.path("answer_before").asText()).isEqualTo("The owl says hoot.");
        assertThat(summary.path("answer_after").asText()).isEqualTo("Arr! I tell ye, the owl says hoot, matey!");
        assertThat(Path.of(summary.path("adapter").asText()))
                .isDirectoryContaining("glob:**adapter_config.json")
                .isDirectoryContaining("glob:**adapter_model.safetensors");
        assertThat(run.err()).contains("spark-submit --master 'local[*]' --properties-file spark-conf/local.conf");
    }

    @Test
    void aFolderOfSomeoneElseIsNotTouched() throws IOException {
        Path own = Files.writeString(folder.resolve("thesis.txt"), "years of work");
        CommandRun run = CommandRun.of("demo", "--output", folder.toString());

        assertThat(run.code()).isEqualTo(ExitCode.BAD_INPUT);
        assertThat(run.err()).contains("Cannot play the demo in");
        assertThat(own).hasContent("years of work");
    }
}
