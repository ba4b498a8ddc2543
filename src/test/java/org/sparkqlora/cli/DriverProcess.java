package org.sparkqlora.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.sparkqlora.ChildJvm;

/**
 * A command in a process of its own, which may die.
 *
 * @param log both of its streams
 */
record DriverProcess(Process process, Path log) {
    /** Whether the time has come. */
    interface Moment {
        boolean isReached() throws IOException;
    }

    /** With {@code flags} beside those of every child. */
    static DriverProcess start(Path log, List<String> flags, List<String> arguments) throws IOException {
        Process process = new ProcessBuilder(ChildJvm.command(flags, Main.class, arguments))
                .redirectErrorStream(true)
                .redirectOutput(ProcessBuilder.Redirect.appendTo(log.toFile()))
                .start();
        return new DriverProcess(process, log);
    }

    /** Kills it, with no chance to do anything; it must not have ended by then. */
    void killOnce(Moment moment) throws IOException, InterruptedException {
        try {
            while (!moment.isReached()) {
                boolean ended = process.waitFor(2, TimeUnit.MILLISECONDS);
                assertThat(ended)
                        .as("ended too early: %s", Files.readString(log))
                        .isFalse();
            }
        } finally {
            process.destroyForcibly().waitFor();
        }
    }
}
