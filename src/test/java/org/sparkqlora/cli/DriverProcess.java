package org.sparkqlora.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

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

    /** With this process's class path and flags, and some more of these. */
    static DriverProcess start(Path log, List<String> flags, List<String> arguments) throws IOException {
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.addAll(flags());
        command.addAll(flags);
        command.addAll(List.of("-cp", System.getProperty("java.class.path"), Main.class.getName()));
        command.addAll(arguments);
        Process process = new ProcessBuilder(command)
                .redirectErrorStream(true)
                .redirectOutput(ProcessBuilder.Redirect.appendTo(log.toFile()))
                .start();
        return new DriverProcess(process, log);
    }

    /** Those of this process, without the agent that measures coverage. */
    static List<String> flags() {
        return ManagementFactory.getRuntimeMXBean().getInputArguments().stream()
                .filter(argument -> !argument.startsWith("-javaagent:"))
                .toList();
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
