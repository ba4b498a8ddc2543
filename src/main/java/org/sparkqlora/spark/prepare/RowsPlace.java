package org.sparkqlora.spark.prepare;

import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.Serializable;
import java.io.UncheckedIOException;
import org.apache.hadoop.conf.Configuration;

/**
 * Where tasks find the rows that the driver has looked at. Rows that somebody takes away or replaces meanwhile are a fault outside:
 * what the run was given is not wrong.
 *
 * @param folder of the rows; empty where tasks read none
 * @param fingerprint of the rows
 */
public record RowsPlace(String folder, String fingerprint) implements Serializable {
    public static final RowsPlace NONE = new RowsPlace("", "");

    /** The same rows as on the driver. */
    public PreparedRows open(Configuration configuration) {
        PreparedData data = PreparedData.find(folder, configuration).orElseThrow(() -> gone("none"));
        if (!data.manifest().fingerprint().equals(fingerprint)) {
            throw gone("those of another preparation");
        }

        return data.reader(configuration);
    }

    private UncheckedIOException gone(String found) {
        IOException reason =
                new FileNotFoundException("expected the rows that were there as the command began, found " + found);
        return new UncheckedIOException("Failed to read rows of " + folder, reason);
    }
}
