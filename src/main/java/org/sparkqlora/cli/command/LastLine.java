package org.sparkqlora.cli.command;

import java.io.ByteArrayOutputStream;
import java.io.FilterOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;

/** Passes on what is written and remembers the last whole line. */
public final class LastLine extends FilterOutputStream {
    private final ByteArrayOutputStream growing = new ByteArrayOutputStream();
    private String last = "";

    private LastLine(OutputStream out) {
        super(out);
    }

    public static LastLine of(OutputStream out) {
        return new LastLine(out);
    }

    public PrintStream print() {
        return new PrintStream(this, true, StandardCharsets.UTF_8);
    }

    /** Empty if there was none. */
    public String text() {
        return last;
    }

    @Override
    public void write(int value) throws IOException {
        out.write(value);
        if (value != '\n') {
            growing.write(value);
            return;
        }

        last = growing.toString(StandardCharsets.UTF_8).strip();
        growing.reset();
    }

    @Override
    public void write(byte[] bytes, int offset, int length) throws IOException {
        for (int i = 0; i < length; i++) {
            write(bytes[offset + i]);
        }
    }
}
