package org.sparkqlora.cli;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;

/**
 * A command run in this process.
 *
 * @param code it ended with
 * @param out what it wrote for programs
 * @param err what it wrote for people
 */
record CommandLineRun(ExitCode code, String out, String err) {
    static CommandLineRun of(String... args) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        ByteArrayOutputStream err = new ByteArrayOutputStream();
        Console console = new Console(
                new PrintStream(out, true, StandardCharsets.UTF_8),
                new PrintStream(err, true, StandardCharsets.UTF_8),
                Console.Kind.LOG);
        ExitCode code = Main.run(console, args);
        return new CommandLineRun(code, out.toString(StandardCharsets.UTF_8), err.toString(StandardCharsets.UTF_8));
    }

    /** The summary. */
    String lastLine() {
        return out.lines().reduce("", (first, second) -> second);
    }
}
