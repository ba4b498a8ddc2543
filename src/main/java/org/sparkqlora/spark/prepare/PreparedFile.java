package org.sparkqlora.spark.prepare;

import java.io.Serializable;
import java.util.regex.Pattern;
import org.sparkqlora.input.BadInputException;

/**
 * A file of prepared rows.
 *
 * @param name in the prepared folder
 * @param rows in the file
 * @param sha256 of its bytes, in hexadecimal
 * @param source number of the weighted source that its rows are of; 0 where sources have no weights
 */
public record PreparedFile(String name, long rows, String sha256, int source) implements Serializable {
    /** No folder, no parent, no other file system. */
    private static final Pattern PLAIN = Pattern.compile("[A-Za-z0-9_-][A-Za-z0-9._-]{0,254}");

    /** Sources on a command line. */
    private static final int MOST_SOURCES = 1 << 10;

    public PreparedFile {
        if (!PLAIN.matcher(name).matches()) {
            throw new BadInputException(
                    "Cannot use a file of prepared rows: expected a plain name, found '%s'".formatted(name));
        }

        if (rows < 1 || rows > Integer.MAX_VALUE || source < 0 || source >= MOST_SOURCES) {
            throw new BadInputException(
                    "Cannot use the file of prepared rows %s: expected 1 to %d rows of a source, found %d of source %d"
                            .formatted(name, Integer.MAX_VALUE, rows, source));
        }
    }

    /** Rows of sources without weights. */
    PreparedFile(String name, long rows, String sha256) {
        this(name, rows, sha256, 0);
    }

    /** This file as rows of the source of that number. */
    PreparedFile ofSource(int number) {
        return new PreparedFile(name, rows, sha256, number);
    }
}
