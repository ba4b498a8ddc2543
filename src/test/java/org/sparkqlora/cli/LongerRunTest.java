package org.sparkqlora.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.sparkqlora.JsonValues;
import org.sparkqlora.command.ExitCode;
import org.sparkqlora.options.Sessions;

/** The command of a run that has ended, with more steps. */
class LongerRunTest {
    @TempDir
    private static Path folder;

    private static TrainRuns runs;

    @BeforeAll
    static void writeInput() throws IOException {
        runs = TrainRuns.in(folder);
    }

    @AfterAll
    static void stopSpark() {
        Sessions.stop();
    }

    @Test
    void goesOnToTheBytesOfOneLongRunAtAConstantRate() throws IOException {
        String twice = train("twice", "--schedule", "constant", "--warmup-ratio", "0", "--max-steps", "2")
                .output();
        CommandRun more = train("twice", "--schedule", "constant", "--warmup-ratio", "0", "--max-steps", "4")
                .run();
        String once = train("once", "--schedule", "constant", "--warmup-ratio", "0", "--max-steps", "4")
                .output();

        assertThat(more.code()).as(more.err()).isEqualTo(ExitCode.OK);
        assertThat(more.err()).contains("goes on from 2 to 4 steps; the warm-up stays as it began, of 0 steps");
        assertThat(JsonValues.of(more.summary())).containsEntry("resumed_from", 2);
        StoredRun.read(twice).assertEquals(StoredRun.read(once));
    }

    @Test
    void goesOnWithTheMicroBatchesThatItWasBegunWith() throws IOException {
        String one = train("one", "--schedule", "constant", "--max-steps", "2", "--micro-batch-size", "1")
                .output();
        CommandRun more =
                train("one", "--schedule", "constant", "--max-steps", "4").run();
        String fresh =
                train("fresh", "--schedule", "constant", "--max-steps", "2").output();

        assertThat(more.code()).as(more.err()).isEqualTo(ExitCode.OK);
        assertThat(JsonValues.of(more.summary())).containsEntry("resumed_from", 2);
        assertThat(plan(one)).contains("\"micro_batch_size\" : 1");
        assertThat(plan(fresh)).contains("\"micro_batch_size\" : 2");
    }

    @Test
    void isRefusedInTheWordsOfTheOptionsWhereRatesDependOnTheNumberOfSteps() {
        train("linear", "--schedule", "linear", "--max-steps", "2");
        CommandRun more =
                train("linear", "--schedule", "linear", "--max-steps", "4").run();

        assertThat(more.code()).as(more.err()).isEqualTo(ExitCode.BAD_INPUT);
        assertThat(more.err())
                .contains(
                        "the number of steps (--max-steps, --epochs) is 4, was 2",
                        "More steps go on from here where --schedule is constant",
                        "--init-adapter")
                .doesNotContain("end_position", "total_steps");
    }

    @Test
    void isRefusedWhereTheLastBatchWasCut() {
        train("cut", "--schedule", "constant", "--warmup-ratio", "0", "--epochs", "0.1");
        CommandRun more = train("cut", "--schedule", "constant", "--warmup-ratio", "0", "--epochs", "1")
                .run();

        assertThat(more.code()).as(more.err()).isEqualTo(ExitCode.BAD_INPUT);
        assertThat(more.err()).contains("where the last batch was whole");
    }

    private static String plan(String output) throws IOException {
        return Files.readString(Path.of(output, "plan.json"));
    }

    private static Trained train(String name, String... options) {
        String output = folder.resolve(name).toString();
        return new Trained(output, runs.train(output, options));
    }

    private record Trained(String output, CommandRun run) {}
}
