package org.sparkqlora.options;

import java.io.PrintStream;
import java.util.Locale;
import org.jspecify.annotations.Nullable;
import org.sparkqlora.input.PrintableText;

/**
 * The output streams of a command.
 *
 * @param out for results, which other programs read: JSON, the summary on the last line
 * @param err for people: progress, notes, errors
 * @param kind what reads {@code err}
 * @param width columns of a line there
 */
public record Console(PrintStream out, PrintStream err, Kind kind, int width) {
    /** The beginning of a warning. */
    public static final String WARNING = "warning: ";

    /** The reader of the progress. */
    public enum Kind {
        /** A line can be written again. */
        TERMINAL,
        /** A file or a pipe: a line stays. */
        LOG
    }

    /** The console of this process. */
    public static Console ofProcess() {
        return Terminal.isLive(System.getenv())
                ? new Console(System.out, System.err, Kind.TERMINAL, Terminal.width())
                : log(System.out, System.err);
    }

    /** A console whose lines stay. */
    public static Console log(PrintStream out, PrintStream err) {
        return new Console(out, err, Kind.LOG, Integer.MAX_VALUE);
    }

    /** A line for people, whose numbers are written as in English everywhere. What a model or a file says steers no terminal. */
    public void note(String format, @Nullable Object... values) {
        err.println(PrintableText.lines(String.format(Locale.ROOT, format, values)));
    }

    /** A line for people of what goes on and is probably not what they want. */
    public void warn(String format, @Nullable Object... values) {
        note("%s%s", WARNING, String.format(Locale.ROOT, format, values));
    }

    /** A part of a line for people, shown at once. */
    public void part(String text) {
        err.print(text);
        err.flush();
    }

    /** A line for programs. */
    public void result(String json) {
        out.println(json);
        out.flush();
    }
}
