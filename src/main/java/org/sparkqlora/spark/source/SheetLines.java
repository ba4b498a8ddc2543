package org.sparkqlora.spark.source;

import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.OptionalLong;
import org.apache.hadoop.conf.Configuration;

/** The lines on which records of a spreadsheet begin: quoted cells hold ends of lines, and empty lines are no records. */
final class SheetLines {
    /** With which some programs begin UTF-8. */
    private static final byte[] MARK = {(byte) 0xef, (byte) 0xbb, (byte) 0xbf};

    private final char separator;
    private int marked; // bytes of the mark that have passed
    private boolean quoted;
    private boolean mayOpen = true; // whether a quote would open a cell, or go on with one that it seemed to end
    private boolean closed; // whether the last byte was a quote that seemed to end a cell
    private boolean empty = true; // whether the line so far is
    private long line = 1;
    private long opened; // line of the last quote that opened a cell
    private long start = 1; // line of the record
    private long record; // 0 is the line of names

    SheetLines(char separator) {
        this.separator = separator;
    }

    /** The line of the record with a number from 1 on. Driver only. */
    static long lineOf(String path, long record, char separator, Configuration configuration) {
        SheetLines lines = new SheetLines(separator);
        try (InputStream in = new BufferedInputStream(Decompression.open(path, configuration))) {
            int read = in.read();
            while (read >= 0 && (lines.record < record || lines.empty)) {
                lines.accept((byte) read);
                read = in.read();
            }

            return lines.start;
        } catch (IOException e) {
            throw new UncheckedIOException("Failed to read " + path, e);
        }
    }

    /** The line that the next byte belongs to, from 1 on. */
    long line() {
        return line;
    }

    /** The line of a quote that began a cell and that nothing has ended. */
    OptionalLong openQuote() {
        return quoted ? OptionalLong.of(opened) : OptionalLong.empty();
    }

    /** Takes the next byte of the file. */
    void accept(byte next) {
        if (marked < MARK.length && next == MARK[marked]) {
            marked++;
            return;
        }

        marked = MARK.length;
        if (next == '\n') {
            endLine();
            return;
        }

        if (next == '"' && (quoted || mayOpen)) {
            opened = quoted || closed ? opened : line;
            closed = quoted;
            quoted = !quoted;
            mayOpen = true;
        } else {
            closed = false;
            mayOpen = next == separator;
        }

        empty &= next == '\r';
    }

    private void endLine() {
        line++;
        if (quoted) {
            return;
        }

        record += empty ? 0 : 1;
        start = line;
        empty = true;
        mayOpen = true;
        closed = false;
    }
}
