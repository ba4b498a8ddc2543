package org.sparkqlora.api;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.sparkqlora.command.demo.DemoModel;
import org.sparkqlora.input.BadInputException;

class CommandsTest {
    private static final List<String> NOWHERE = List.of("/no/such/folder");

    @TempDir
    Path folder;

    @Test
    void theSummaryIsReturned() throws IOException {
        String summary = Commands.run("plan", List.of(), Map.of("parameters", "13B", "sequence_length", 64));

        assertThat(new ObjectMapper().readTree(summary).path("command").asText())
                .isEqualTo("plan");
    }

    @Test
    void aCommandThatPrintsLinesHasNoSummary() {
        assertThat(Commands.run("plan", List.of(), Map.of("parameters", "13B", "spark_conf", true)))
                .isEmpty();
    }

    @Test
    void badInputIsThrownAsItIs() {
        assertThatThrownBy(() -> Commands.run("inspect", NOWHERE, Map.of()))
                .isInstanceOf(BadInputException.class)
                .hasMessage("Cannot inspect /no/such/folder: expected a file or folder, found nothing");
    }

    @Test
    void allProblemsOfOptionsAreThrownTogether() {
        Map<String, Object> options = Map.of("parameters", "13B", "rank", "many", "colour", "red", "max_grad_norm", -1);

        assertThatThrownBy(() -> Commands.run("plan", List.of(), options))
                .isInstanceOf(BadInputException.class)
                .hasMessageStartingWith("3 problems\n  Cannot set colour: expected an option of plan, found no such\n")
                .hasMessageContainingAll("'many' is not an int", "--max-grad-norm");
    }

    @Test
    void aCommandThatIsNoneIsRefusedWithThoseThatAre() {
        assertThatThrownBy(() -> Commands.run("fit", List.of(), Map.of()))
                .isInstanceOf(BadInputException.class)
                .hasMessageStartingWith("Cannot run: expected one of [demo, prepare, train,")
                .hasMessageEndingWith("found fit");
    }

    @Test
    void aCommandThatBreaksTellsWhy() throws IOException {
        Path adapter = Files.createDirectory(folder.resolve("adapter"));
        Path model = folder.resolve("model");
        DemoModel.write(model, 1);

        assertThatThrownBy(() -> Commands.run(
                        "merge",
                        List.of(),
                        Map.of("model", model, "adapter", adapter, "output", folder.resolve("merged"))))
                .isInstanceOf(BadInputException.class)
                .hasMessageContaining("adapter_config.json");
    }

    @Test
    void howItEndedIsLeftInTheFileOfTheResult() throws IOException {
        Path file = folder.resolve("result.json");

        String summary = Commands.run("plan", List.of(), Map.of("parameters", "13B", "result", file));
        JsonNode done = new ObjectMapper().readTree(file.toFile());
        assertThat(done.path("code").asInt(-1)).isZero();
        assertThat(done.path("command").asText()).isEqualTo("spark-qlora plan");
        assertThat(done.path("summary")).isEqualTo(new ObjectMapper().readTree(summary));

        assertThatThrownBy(() -> Commands.run("inspect", NOWHERE, Map.of("result", file)))
                .hasMessageContaining("Cannot inspect /no/such/folder");
        JsonNode failed = new ObjectMapper().readTree(file.toFile());
        assertThat(failed.path("code").asInt()).isEqualTo(64);
        assertThat(failed.at("/reasons/0").asText()).startsWith("Cannot inspect /no/such/folder");

        Map<String, Object> unknown = Map.of("parameters", "13B", "bogus", true, "result", file);
        assertThatThrownBy(() -> Commands.run("plan", List.of(), unknown)).hasMessageContaining("Cannot set bogus");
        assertThat(new ObjectMapper().readTree(file.toFile()).at("/reasons/0").asText())
                .startsWith("Cannot set bogus");
    }

    @Test
    void aForeignFileIsNoPlaceForTheResult() throws IOException {
        Path file = Files.writeString(folder.resolve("notes.json"), "mine");

        assertThatThrownBy(() -> Commands.run("plan", List.of(), Map.of("parameters", "13B", "result", file)))
                .isInstanceOf(BadInputException.class)
                .hasMessage(
                        "--result: Cannot replace %s: expected no file, or one that this option has written, found another"
                                .formatted(file));
        assertThat(file).hasContent("mine");
    }

    @Test
    void aResultThatCannotBeWrittenIsAFailureAndHidesNone() {
        String file =
                folder.resolve("longer than any file system allows ".repeat(10)).toString();

        assertThatThrownBy(() -> Commands.run("plan", List.of(), Map.of("parameters", "13B", "result", file)))
                .isInstanceOf(UncheckedIOException.class)
                .hasMessageContaining("Failed to write " + file);
        assertThatThrownBy(() -> Commands.run("inspect", NOWHERE, Map.of("result", file)))
                .hasMessageContaining("Cannot inspect /no/such/folder")
                .satisfies(thrown -> assertThat(thrown.getSuppressed())
                        .singleElement()
                        .asString()
                        .contains("Failed to write " + file));
    }
}
