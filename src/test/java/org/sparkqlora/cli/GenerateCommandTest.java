package org.sparkqlora.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class GenerateCommandTest {
    @TempDir
    private static Path folder;

    @BeforeAll
    static void writeModel() {
        DemoModel.write(folder.resolve("model"), 7);
    }

    @Test
    void textOfTheAnswerAppearsBeforeTheSummary() throws Exception {
        CommandRun run = generate("--prompt", DemoLanguage.SAMPLE, "--max-new-tokens", "8");

        assertThat(run.code()).isEqualTo(ExitCode.OK);
        var summary = new ObjectMapper().readTree(run.summary());
        assertThat(summary.get("tokens").intValue()).isBetween(1, 8);
        assertThat(summary.get("text").textValue()).isNotBlank();
        assertThat(run.err()).contains(summary.get("text").textValue());
    }

    /** Chat models often name the token that ends a turn only there. */
    @Test
    void endTokensOfTheGenerationConfigEndTheAnswer() throws Exception {
        Path model = folder.resolve("ending");
        DemoModel.write(model, 7);
        int vocabulary = DemoVocabulary.tokens().size();
        List<Integer> every = new ArrayList<>();
        for (int id = 0; id < vocabulary; id++) {
            every.add(id);
        }

        Files.writeString(model.resolve("generation_config.json"), "{\"eos_token_id\": %s}".formatted(every));
        CommandRun run = CommandRun.of(
                "generate",
                "--model",
                model.toString(),
                "--method",
                "lora",
                "--precision",
                "fp32",
                "--prompt",
                "hello");

        assertThat(run.summary()).contains("\"text\":\"\",\"tokens\":0");
    }

    private static CommandRun generate(String... options) {
        List<String> line = new ArrayList<>(List.of(
                "generate",
                "--model",
                folder.resolve("model").toString(),
                "--precision",
                "fp32",
                "--model-cache",
                folder.resolve("cache").toString()));
        line.addAll(List.of(options));
        return CommandRun.of(line.toArray(String[]::new));
    }
}
