package org.sparkqlora.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.sparkqlora.cli.command.CommandFailedException;
import org.sparkqlora.cli.command.ExitCode;
import org.sparkqlora.cli.demo.DemoModel;

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
    void howItEndedIsLeftWhereTheLineSays() throws IOException {
        Path file = folder.resolve("result.json");

        String summary = Commands.run(List.of("plan", "--parameters", "13B", "--result", file.toString()));
        JsonNode done = new ObjectMapper().readTree(file.toFile());
        assertThat(done.path("code").asInt(-1)).isZero();
        assertThat(done.path("summary")).isEqualTo(new ObjectMapper().readTree(summary));

        assertThatThrownBy(() -> Commands.run(List.of("inspect", "/no/such/folder", "--result", file.toString())))
                .hasMessageContaining("Cannot inspect /no/such/folder");
        JsonNode failed = new ObjectMapper().readTree(file.toFile());
        assertThat(failed.path("code").asInt()).isEqualTo(64);
        assertThat(failed.at("/reasons/0").asText()).startsWith("Cannot inspect /no/such/folder");

        assertThatThrownBy(() ->
                        Commands.run(List.of("plan", "--parameters", "13B", "--bogus", "--result", file.toString())))
                .hasMessageContaining("--bogus");
        assertThat(new ObjectMapper().readTree(file.toFile()).path("code").asInt())
                .isEqualTo(2);
    }

    @Test
    void aResultThatCannotBeWrittenIsAFailureAndHidesNone() throws IOException {
        String file = Files.writeString(folder.resolve("file"), "no folder")
                .resolve("result.json")
                .toString();

        assertThatThrownBy(() -> Commands.run(List.of("plan", "--parameters", "13B", "--result", file)))
                .isInstanceOf(CommandFailedException.class)
                .hasMessageContaining("Failed to write " + file)
                .extracting(thrown -> ((CommandFailedException) thrown).code())
                .isEqualTo(ExitCode.RESUMABLE);
        assertThatThrownBy(() -> Commands.run(List.of("inspect", "/no/such/folder", "--result", file)))
                .hasMessageContaining("Cannot inspect /no/such/folder")
                .satisfies(thrown -> assertThat(thrown.getSuppressed())
                        .singleElement()
                        .asString()
                        .contains("Failed to write " + file));
    }

    @Test
    void noCommandIsOneProblem() {
        assertThatThrownBy(() -> Commands.run(List.of()))
                .isInstanceOf(CommandFailedException.class)
                .hasMessage("spark-qlora: Cannot run: expected a command, found none");
    }
}
