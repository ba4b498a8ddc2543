package org.sparkqlora.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.sparkqlora.command.ExitCode;

class ResultOptionTest {
    @TempDir
    Path folder;

    @Test
    void aCommandThatIsDoneLeavesItsSummary() throws IOException {
        CommandRun run = CommandRun.of("plan", "--parameters", "7B", "--result", file());

        assertThat(run.code()).isEqualTo(ExitCode.OK);
        JsonNode result = result();
        assertThat(result.path("command").asText()).isEqualTo("spark-qlora plan");
        assertThat(result.path("code").asInt(-1)).isZero();
        assertThat(result.path("meaning").asText()).isEqualTo("OK");
        assertThat(result.path("reasons")).isEmpty();
        assertThat(result.path("summary")).isEqualTo(new ObjectMapper().readTree(run.summary()));
    }

    @Test
    void optionsThatMakeNoSenseAreInIt() throws IOException {
        CommandRun run =
                CommandRun.of("plan", "--result", file(), "--parameters", "7B", "--rank", "0", "--max-grad-norm", "-1");

        assertThat(run.code()).isEqualTo(ExitCode.BAD_INPUT);
        assertThat(result().path("code").asInt()).isEqualTo(64);
        assertThat(result().path("reasons")).hasSize(2);
        assertThat(result().at("/reasons/0").asText()).contains("rank must be at least 1");
        assertThat(result().at("/reasons/1").asText()).contains("--max-grad-norm: expected 0 (off) or more, found -1");
        assertThat(result().has("summary")).isFalse();
    }

    @Test
    void aMistakeOfUseIsInIt() throws IOException {
        CommandRun run = CommandRun.of("plan", "--parameters", "7B", "--bogus", "--result=" + file());

        assertThat(run.code()).isEqualTo(ExitCode.USAGE);
        assertThat(result().path("code").asInt()).isEqualTo(2);
        assertThat(result().at("/reasons/0").asText()).isEqualTo("Unknown option: '--bogus'");
    }

    @Test
    void theReasonOfAFailureIsInIt() throws IOException {
        String missing = folder.resolve("none.json").toString();
        CommandRun run = CommandRun.of("gate", "--evaluation", missing, "--max-loss", "1", "--result", file());

        assertThat(run.code()).isEqualTo(ExitCode.BAD_INPUT);
        assertThat(result().at("/reasons/0").asText())
                .isEqualTo("Cannot read %s: expected what evaluate --result wrote, found nothing".formatted(missing));
    }

    @Test
    void anEarlierEndIsReplaced() throws IOException {
        assertThat(CommandRun.of("plan", "--result", file()).code()).isEqualTo(ExitCode.BAD_INPUT);
        assertThat(result().path("code").asInt()).isEqualTo(64);

        assertThat(CommandRun.of("plan", "--parameters", "7B", "--result", file())
                        .code())
                .isEqualTo(ExitCode.OK);
        assertThat(result().path("code").asInt(-1)).isZero();
    }

    @Test
    void aFileThatCannotBeWrittenIsToldBeforeWork() throws IOException {
        Path file = Files.writeString(folder.resolve("file"), "not a folder");
        CommandRun run = CommandRun.of(
                "plan", "--parameters", "7B", "--result", file.resolve("r.json").toString());

        assertThat(run.code()).isEqualTo(ExitCode.BAD_INPUT);
        assertThat(run.err()).contains("--result: Cannot write to " + file.resolve("r.json"), "found a file");
        assertThat(run.out()).isEmpty();
    }

    private String file() {
        return folder.resolve("result.json").toString();
    }

    private JsonNode result() throws IOException {
        return new ObjectMapper().readTree(Path.of(file()).toFile());
    }
}
