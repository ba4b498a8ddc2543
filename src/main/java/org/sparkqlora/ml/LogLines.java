package org.sparkqlora.ml;

import java.io.ByteArrayOutputStream;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import org.slf4j.Logger;

/** What a command would tell people, line by line into a log. */
final class LogLines extends OutputStream {
    private final ByteArrayOutputStream line = new ByteArrayOutputStream();
    private final Logger log;

    private LogLines(Logger log) {
        this.log = log;
    }

    static PrintStream of(Logger log) {
        return new PrintStream(new LogLines(log), false, StandardCharsets.UTF_8);
    }

    @Override
    public synchronized void write(int value) {
        if (value == '\n') {
            log.info("{}", line.toString(StandardCharsets.UTF_8).stripTrailing());
            line.reset();
        } else {
            line.write(value);
        }
    }
}
