package org.sparkqlora.command.bench;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.sparkqlora.cli.CommandRun;
import org.sparkqlora.command.ExitCode;

/** {@code bench} measures whole steps on a device. */
abstract class StepBenchContract {
    private static final String LLAMA = "src/test/resources/goldens/models/llama-tied/base";

    @TempDir
    private Path cache;

    /** As the command line calls it. */
    abstract String device();

    @Test
    void stepsTakeTheirTimeAndUpdatesToo() throws IOException {
        JsonNode figures = bench(
                "--model", LLAMA, "--sequence-length", "16", "--batch-size", "2", "--rank", "4", "--threads", "1");

        JsonNode step = figures.path("step");
        double gradient = step.path("gradient_seconds").asDouble();
        double update = step.path("update_seconds").asDouble();
        assertThat(gradient).isPositive();
        assertThat(update).isPositive();
        assertThat(step.path("tokens_per_second").asDouble()).isCloseTo(32 / (gradient + update), within(1e-6));
    }

    /** Its figures, by group. */
    final JsonNode bench(String... options) throws IOException {
        List<String> line = new ArrayList<>(List.of("bench", "--device", device(), "--parts", "step"));
        line.addAll(List.of("--model-cache", cache.toString(), "--repetitions", "1"));
        line.addAll(List.of(options));
        CommandRun run = CommandRun.of(line.toArray(String[]::new));

        assertThat(run.code()).as(run.err()).isEqualTo(ExitCode.OK);
        return new ObjectMapper().readTree(run.summary());
    }
}
