package org.sparkqlora.spark.source;

import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import org.apache.hadoop.conf.Configuration;

/** Finds the line on which a record of a spreadsheet begins: quoted cells hold ends of lines, and empty lines are no records. */
final class SheetLines {
    private final char separator;
    private boolean quoted;
    private boolean mayOpen = true; // whether a quote would open a cell, or go on with one that it seemed to end
    private boolean empty = true; // whether the line so far is
    private long line = 1;
    private long start = 1; // line of the record
    private long record; // 0 is the line of names

    private SheetLines(char separator) {
        this.separator = separator;
    }

    /** The line of the record with a number from 1 on. Driver only. */
    static long lineOf(String path, long record, char separator, Configuration configuration) {
        SheetLines lines = new SheetLines(separator);
        try (InputStream in = new BufferedInputStream(Decompression.open(path, configuration))) {
            int read = in.read();
            while (read >= 0 && !lines.isBehind(record, read)) {
                read = in.read();
            }

            return lines.start;
        } catch (IOException e) {
            throw new UncheckedIOException("Failed to read " + path, e);
        }
    }

    /** Whether {@code character} ends the record. */
    private boolean isBehind(long wanted, int character) {
        if (character == '\n') {
            line++;
            return !quoted && endRecord(wanted);
        }

        if (character == '"' && (quoted || mayOpen)) {
            quoted = !quoted;
            mayOpen = true;
        } else {
            mayOpen = character == separator;
        }

        empty &= character == '\r';
        return false;
    }

    private boolean endRecord(long wanted) {
        if (!empty && record == wanted) {
            return true;
        }

        record += empty ? 0 : 1;
        start = line;
        empty = true;
        mayOpen = true;
        return false;
    }
}
