package org.sparkqlora.command.inspect;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.sparkqlora.JsonValues;
import org.sparkqlora.cli.CommandRun;
import org.sparkqlora.command.ExitCode;
import org.sparkqlora.command.demo.DemoLanguage.DemoTurn;
import org.sparkqlora.command.demo.DemoModel;
import org.sparkqlora.command.demo.DemoModelJson;

class InspectCommandTest {
    @TempDir
    Path folder;

    private Path model;
    private Path data;

    @BeforeEach
    void writeInput() throws IOException {
        model = folder.resolve("model");
        data = folder.resolve("data.jsonl");
        DemoModel.write(model, 1);
        Files.writeString(
                data, DemoModelJson.messages(new DemoTurn("What does the owl say?", "The owl says hoot.")) + "\n");
    }

    @Test
    void aModelIsDescribedByItsConfig() {
        assertThat(JsonValues.of(inspect(model)))
                .containsEntry("kind", "model")
                .containsEntry("model_type", "llama")
                .containsEntry("layers", 2);
    }

    @Test
    void aWeightFileIsDescribedByItsTensors() {
        assertThat(JsonValues.of(inspect(model.resolve("model.safetensors"))))
                .containsEntry("kind", "safetensors file")
                .containsEntry("tensors", 20);
    }

    @Test
    void aFileThatMarksAFolderIsDescribedAsThatFolder() {
        assertThat(inspect(model.resolve("config.json"))).isEqualTo(inspect(model));
    }

    @Test
    void aFileThatMarksAFolderOfAnotherKindIsBadInput() throws IOException {
        Path plan = Files.writeString(folder.resolve("plan.json"), "{\"text\": \"Hoot.\"}");
        for (CommandRun run : List.of(
                CommandRun.of("inspect", plan.toString()), CommandRun.of("inspect", plan.toString(), "--as-config"))) {
            assertThat(run.code()).isEqualTo(ExitCode.BAD_INPUT);
            assertThat(run.err()).contains(plan + ": Cannot read a plan: expected a value for 'format_version'");
        }
    }

    @Test
    void aDataFileIsDescribedByItsRecords() throws IOException {
        Files.writeString(data, Files.readString(data) + "{\"text\": \"Hoot.\"}\nnonsense\n");

        assertThat(inspect(data))
                .contains("\"messages\":1", "\"text\":1", "\"bad_records\":1", "\"first_bad_record\":\"line 3: ");
    }

    @Test
    void aPathThatHoldsNothingIsBadInput() {
        CommandRun run = CommandRun.of("inspect", folder.resolve("nothing").toString());

        assertThat(run.code()).isEqualTo(ExitCode.BAD_INPUT);
        assertThat(run.err()).contains("expected a file or folder, found nothing");
    }

    @Test
    void renderedExamplesShowTextIdsAndMask() throws IOException {
        CommandRun run = CommandRun.of("inspect", data.toString(), "--render", "--model", model.toString());
        JsonNode example = new ObjectMapper().readTree(run.summary());

        assertThat(run.code()).as(run.err()).isEqualTo(ExitCode.OK);
        assertThat(example.path("text").asText())
                .isEqualTo(
                        "<|im_start|>user\nWhat does the owl say?<|im_end|>\n<|im_start|>assistant\nThe owl says hoot.<|im_end|>\n");
        assertThat(example.path("trained").toString()).isEqualTo("[0,0,0,0,0,0,0,0,0,0,0,1,1,1,1,1,1]");
        assertThat(example.path("ids")).hasSize(17);
    }

    private static String inspect(Path path) {
        CommandRun run = CommandRun.of("inspect", path.toString());
        assertThat(run.code()).as(run.err()).isEqualTo(ExitCode.OK);
        return run.summary();
    }
}
