package org.sparkqlora.command;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.io.UncheckedIOException;
import java.net.ConnectException;
import java.net.URI;
import java.nio.channels.UnresolvedAddressException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.apache.hadoop.fs.RawLocalFileSystem;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.sparkqlora.api.Commands;
import org.sparkqlora.cli.CommandRun;
import org.sparkqlora.input.BadInputException;
import org.sparkqlora.options.Console;

class FailureTest {
    private final ByteArrayOutputStream notes = new ByteArrayOutputStream();

    @Test
    void aHostThatCannotBeFoundMayBeFoundLater() {
        IOException unreachable = new ConnectException();
        unreachable.initCause(new UnresolvedAddressException());

        ExitCode code = report(new UncheckedIOException("Failed to look for model a/b", unreachable));

        assertThat(code).isEqualTo(ExitCode.RESUMABLE);
        assertThat(notes())
                .containsExactly(
                        "spark-qlora train: UncheckedIOException: Failed to look for model a/b",
                        "  because: ConnectException",
                        "  because: UnresolvedAddressException",
                        "The same command, run again, continues from the newest checkpoint.");
    }

    @Test
    void onlyTrainingHasACheckpointToContinueFrom() {
        report(new UncheckedIOException("Failed to write", new IOException("no space")), "spark-qlora generate");

        assertThat(notes()).endsWith("The same command may be run again.");
    }

    @Test
    void theReasonForARefusalIsFoundBelowWhatSparkSays() {
        Exception refusal = new BadInputException("Cannot read a record: expected an object");

        ExitCode code = report(new IllegalStateException("Job aborted due to stage failure", refusal));

        assertThat(code).isEqualTo(ExitCode.BAD_INPUT);
        assertThat(notes()).containsExactly("spark-qlora train: Cannot read a record: expected an object");
    }

    @Test
    void anArgumentThatALibraryRefusesIsNotBadInput() {
        Exception library = new IllegalArgumentException("Self-suppression not permitted");

        assertThat(report(new IllegalStateException("Job aborted due to stage failure", library)))
                .isEqualTo(ExitCode.RESUMABLE);
    }

    /** Nobody is told that his input is bad, and a scheduler that counts attempts stops by itself. */
    @Test
    void aBrokenInvariantOfOursIsResumableAndAsksToBeReported() {
        assertThat(report(new IllegalStateException("Cannot write: expected a log that is open")))
                .isEqualTo(ExitCode.RESUMABLE);
        assertThat(notes())
                .endsWith(
                        "The same command, run again, continues from the newest checkpoint.",
                        "If it ends like this again, please report it as a fault of spark-qlora, with its log.");
    }

    @ParameterizedTest
    @MethodSource("errors")
    void anErrorOfTheJvmLeavesItsReasonInTheResult(Class<? extends Error> error, @TempDir Path folder)
            throws IOException {
        System.setProperty("spark.hadoop.fs.broken.impl", BrokenStore.class.getName());
        Path result = folder.resolve("result.json");
        String evaluation = "broken:///" + error.getSimpleName();

        CommandRun run =
                CommandRun.of("gate", "--evaluation", evaluation, "--max-loss", "1", "--result", result.toString());

        assertThat(run.code()).as(run.err()).isEqualTo(ExitCode.RESUMABLE);
        assertThat(run.err())
                .startsWith("spark-qlora gate: " + error.getSimpleName())
                .doesNotContain("\tat ");
        assertThat(result).content().contains("\"code\":75", error.getSimpleName());
        Files.delete(result);
        Map<String, Object> options = Map.of("evaluation", evaluation, "max_loss", 1, "result", result);
        assertThat(catchThrowable(() -> Commands.run("gate", List.of(), options)))
                .isInstanceOf(error);
        assertThat(result).content().contains("\"code\":75", error.getSimpleName());
    }

    static Stream<Class<? extends Error>> errors() {
        return Stream.of(OutOfMemoryError.class, StackOverflowError.class);
    }

    /** Looking for a file in it takes all memory, or all of the stack. */
    public static final class BrokenStore extends RawLocalFileSystem {
        @Override
        public boolean exists(org.apache.hadoop.fs.Path file) throws IOException {
            return file.getName().startsWith("Out") ? new long[Integer.MAX_VALUE].length > 0 : exists(file);
        }

        @Override
        public URI getUri() {
            return URI.create("broken:///");
        }
    }

    private ExitCode report(Exception thrown) {
        return report(thrown, "spark-qlora train");
    }

    private ExitCode report(Exception thrown, String command) {
        PrintStream stream = new PrintStream(notes, true, StandardCharsets.UTF_8);
        return Failure.of(thrown).report(Console.log(stream, stream), command);
    }

    private List<String> notes() {
        return notes.toString(StandardCharsets.UTF_8).lines().toList();
    }
}
