package org.sparkqlora.command.plan;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.sparkqlora.cli.CommandRun;
import org.sparkqlora.command.CommandOutcome;
import org.sparkqlora.command.ExitCode;
import org.sparkqlora.command.ResultJson;
import org.sparkqlora.run.bench.ClusterSpeedJson;
import org.sparkqlora.spark.speed.ClusterSpeed;

/** {@code plan} with what {@code bench --cluster} measured. */
class ClusterConstantsTest {
    @Test
    void whatBenchMeasuredTakesThePlaceOfBuiltInCosts(@TempDir Path folder) throws IOException {
        ClusterSpeed same =
                new ClusterSpeed(2, 1e9, 1e9, 2e9, 7e-4, 3e-4, 0.04, 3e-5); // as built in, and 0.8 of 10 Gb/s
        ClusterSpeed slow = new ClusterSpeed(2, 1e9, 1e9, 2e9, 7e-4, 3e-4, 40, 3e-5);
        JsonNode builtIn = summary(costs("--network", "10Gb"));

        CommandRun measured = costs("--cluster-constants", result(folder, same));
        JsonNode slowStages = summary(costs("--cluster-constants", result(folder, slow), "--network", "10Gb"));

        assertThat(measured.err())
                .contains("Seconds of a step by --exchange shuffle, 10.0 Gb/s an executor, estimated");
        assertThat(summary(measured).path("costs")).isEqualTo(builtIn.path("costs"));
        assertThat(slowStages.at("/costs/0/driver_seconds").asDouble()
                        - builtIn.at("/costs/0/driver_seconds").asDouble())
                .as("two stages")
                .isCloseTo(2 * 39.96, within(1e-6));
    }

    @Test
    void constantsAreWhatBenchWrote(@TempDir Path folder) {
        String missing = folder.resolve("none.json").toString();

        CommandRun run = costs("--cluster-constants", missing);

        assertThat(run.code()).isEqualTo(ExitCode.BAD_INPUT);
        assertThat(run.err()).contains("expected what bench --cluster --result wrote, found nothing");
    }

    private static CommandRun costs(String... options) {
        return CommandRun.of(
                Stream.concat(Stream.of("plan", "--parameters", "8B", "--executors", "8,64"), Stream.of(options))
                        .toArray(String[]::new));
    }

    private static String result(Path folder, ClusterSpeed speed) throws IOException {
        CommandOutcome ending = new CommandOutcome(ExitCode.OK, List.of(), ClusterSpeedJson.summary(speed));
        return Files.writeString(folder.resolve("speed.json"), ResultJson.write("bench", ending))
                .toString();
    }

    private static JsonNode summary(CommandRun run) throws IOException {
        return new ObjectMapper().readTree(run.summary());
    }
}
