package org.sparkqlora.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class CommandsTest {
    @TempDir
    Path folder;

    @Test
    void theSummaryIsReturned() throws IOException {
        String summary = Commands.run(List.of("plan", "--parameters", "13B"));

        assertThat(new ObjectMapper().readTree(summary).path("command").asText())
                .isEqualTo("plan");
    }

    @Test
    void whatTheCommandLineWouldSayIsThrown() {
        assertThatThrownBy(() -> Commands.run(List.of("inspect", "/no/such/folder")))
                .isInstanceOf(CommandFailedException.class)
                .hasMessage(
                        "spark-qlora inspect: Cannot inspect /no/such/folder: expected a file or folder, found nothing")
                .extracting(thrown -> ((CommandFailedException) thrown).code())
                .isEqualTo(ExitCode.BAD_INPUT);
    }

    @Test
    void allProblemsOfAnUnknownLineAreThrownTogether() {
        assertThatThrownBy(() -> Commands.run(List.of("plan", "--parameters", "13B", "--rank", "many", "--colour=red")))
                .isInstanceOf(CommandFailedException.class)
                .hasMessageContainingAll("spark-qlora plan: 2 problems", "'many' is not an int", "--colour")
                .extracting(thrown -> ((CommandFailedException) thrown).code())
                .isEqualTo(ExitCode.USAGE);
    }

    @Test
    void aCommandThatBreaksTellsWhyLineByLine() throws IOException {
        Path adapter = Files.createDirectory(folder.resolve("adapter"));
        Path model = folder.resolve("model");
        DemoModel.write(model, 1);

        assertThatThrownBy(() -> Commands.run(List.of(
                        "merge",
                        "--model",
                        model.toString(),
                        "--adapter",
                        adapter.toString(),
                        "--output",
                        folder.resolve("merged").toString())))
                .isInstanceOf(CommandFailedException.class)
                .hasMessageContaining("adapter_config.json");
    }

    @Test
    void noCommandIsOneProblem() {
        assertThatThrownBy(() -> Commands.run(List.of()))
                .isInstanceOf(CommandFailedException.class)
                .hasMessage("spark-qlora: Cannot run: expected a command, found none");
    }
}
