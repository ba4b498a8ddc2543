package org.sparkqlora.train.metrics;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.OptionalLong;

/**
 * The lines of a log as far as a step. A process may have died in the last line; any other line that cannot be read was damaged.
 *
 * @param kept whole lines, none of a later step
 * @param damaged numbers of damaged lines, from 1
 */
public record LogLines(List<String> kept, List<Integer> damaged) {
    public LogLines {
        kept = List.copyOf(kept);
        damaged = List.copyOf(damaged);
    }

    /** Those of {@code lines} as far as {@code step}. */
    public static LogLines upTo(long step, List<String> lines) {
        List<String> kept = new ArrayList<>();
        List<Integer> unread = new ArrayList<>();
        long reached = 0;
        for (int i = 0; i < lines.size(); i++) {
            OptionalLong found = MetricsJson.readStep(lines.get(i));
            if (found.isEmpty()) {
                unread.add(i + 1);
            } else if (found.getAsLong() <= step) {
                kept.add(lines.get(i));
                reached = found.getAsLong();
            }
        }

        if (reached >= step) {
            unread.remove((Integer) lines.size()); // of a step that will be taken again
        }

        return new LogLines(kept, unread);
    }

    /** A warning about the damaged lines of {@code file}. */
    public List<String> warnings(String file) {
        return damaged.stream()
                .map(line -> String.format(
                        Locale.ROOT,
                        "Left out line %d of %s: expected JSON with a step, found something else",
                        line,
                        file))
                .toList();
    }
}
