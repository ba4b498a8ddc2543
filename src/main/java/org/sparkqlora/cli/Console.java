package org.sparkqlora.cli;

import java.io.PrintStream;

/**
 * Where a command writes.
 *
 * @param out for results, which other programs read: JSON, the summary on the last line
 * @param err for people: progress, notes, errors
 * @param kind what reads {@code err}
 */
record Console(PrintStream out, PrintStream err, Kind kind) {
    /** What reads the progress. */
    enum Kind {
        /** A line can be written again. */
        TERMINAL,
        /** A file or a pipe: a line stays. */
        LOG
    }

    /** The console of this process. */
    @SuppressWarnings("SystemConsoleNull") // true of Java 22 and later, where Spark 3.5 does not run
    static Console ofProcess() {
        return new Console(System.out, System.err, System.console() == null ? Kind.LOG : Kind.TERMINAL);
    }

    /** A line for people. */
    void note(String format, Object... values) {
        err.println(format.formatted(values));
    }

    /** A part of a line for people, shown at once. */
    void part(String text) {
        err.print(text);
        err.flush();
    }

    /** A line for programs. */
    void result(String json) {
        out.println(json);
        out.flush();
    }
}
