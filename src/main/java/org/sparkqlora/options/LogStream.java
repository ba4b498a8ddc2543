package org.sparkqlora.options;

import java.io.ByteArrayOutputStream;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import org.slf4j.Logger;

/** A stream that writes each line of a console to a log: warnings as warnings, the rest as information. */
public final class LogStream extends OutputStream {
    private final ByteArrayOutputStream line = new ByteArrayOutputStream();
    private final Logger log;

    private LogStream(Logger log) {
        this.log = log;
    }

    /** A console that writes all its lines to {@code log}. */
    public static Console console(Logger log) {
        PrintStream lines = new PrintStream(new LogStream(log), false, StandardCharsets.UTF_8);
        return Console.log(lines, lines);
    }

    @Override
    public synchronized void write(int value) {
        if (value == '\n') {
            log(line.toString(StandardCharsets.UTF_8).stripTrailing());
            line.reset();
        } else {
            line.write(value);
        }
    }

    private void log(String text) {
        if (text.startsWith(Console.WARNING)) {
            log.warn("{}", text.substring(Console.WARNING.length()));
        } else {
            log.info("{}", text);
        }
    }
}
