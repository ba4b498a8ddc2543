package org.sparkqlora.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.io.UncheckedIOException;
import java.net.ConnectException;
import java.nio.channels.UnresolvedAddressException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.sparkqlora.input.BadInputException;

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

    private ExitCode report(Exception thrown) {
        PrintStream stream = new PrintStream(notes, true, StandardCharsets.UTF_8);
        return Failure.of(thrown).report(Console.log(stream, stream), "spark-qlora train");
    }

    private List<String> notes() {
        return notes.toString(StandardCharsets.UTF_8).lines().toList();
    }
}
