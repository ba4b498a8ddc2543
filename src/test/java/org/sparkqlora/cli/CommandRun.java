package org.sparkqlora.cli;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.sparkqlora.command.ExitCode;
import org.sparkqlora.options.Console;

/**
 * The outcome of a command line.
 *
 * @param code of the process
 * @param out lines for programs
 * @param err text for people
 */
public record CommandRun(ExitCode code, List<String> out, String err) {
    public static CommandRun of(String... arguments) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        ByteArrayOutputStream err = new ByteArrayOutputStream();
        ExitCode code = Program.run(Console.log(print(out), print(err)), arguments);
        return new CommandRun(
                code, out.toString(StandardCharsets.UTF_8).lines().toList(), err.toString(StandardCharsets.UTF_8));
    }

    /** The last line on stdout. */
    public String summary() {
        return out.get(out.size() - 1);
    }

    private static PrintStream print(ByteArrayOutputStream bytes) {
        return new PrintStream(bytes, true, StandardCharsets.UTF_8);
    }
}
