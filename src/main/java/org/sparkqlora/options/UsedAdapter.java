package org.sparkqlora.options;

import org.sparkqlora.input.BadInputException;
import org.sparkqlora.spark.cluster.Location;

/**
 * An adapter that answers.
 *
 * @param name by which prompts choose it; empty: it answers those that name none
 */
public record UsedAdapter(String name, Location folder) {
    /** Reads {@code NAME=DIR} or {@code DIR}. A name has neither slash nor colon, so that {@code ./a=b} is a folder. */
    static UsedAdapter parse(String text) {
        int equals = text.indexOf('=');
        String name = equals < 0 ? "" : text.substring(0, equals).strip();
        if (name.isEmpty() || name.contains("/") || name.contains(":")) {
            return new UsedAdapter("", Location.parse(text));
        }

        String folder = text.substring(equals + 1);
        if (folder.isBlank()) {
            throw new BadInputException("expected NAME=DIR or DIR, found '%s'".formatted(text));
        }

        return new UsedAdapter(name, Location.parse(folder));
    }
}
