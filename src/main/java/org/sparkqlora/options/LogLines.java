package org.sparkqlora.options;

import java.io.ByteArrayOutputStream;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import org.slf4j.Logger;

/** The lines that a command tells people, in a log; its warnings are warnings there. */
public final class LogLines extends OutputStream {
    private final ByteArrayOutputStream line = new ByteArrayOutputStream();
    private final Logger log;

    private LogLines(Logger log) {
        this.log = log;
    }

    public static PrintStream of(Logger log) {
        return new PrintStream(new LogLines(log), false, StandardCharsets.UTF_8);
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
