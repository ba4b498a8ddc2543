package org.sparkqlora.spark.source;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.sparkqlora.input.BadInputException;

/**
 * Data as a command line names it.
 *
 * @param path a file, a folder, a glob, or a table of the catalog; of a table perhaps with {@code VERSION AS OF n} or {@code TIMESTAMP AS OF t}
 * @param weight its part of the mixture, between 0 and 1; 0 when all of it is used
 */
public record WeightedSource(String path, double weight) {
    private static final Pattern WEIGHTED = Pattern.compile("(.+)=(0?\\.\\d+)");

    private static final Pattern NUMBERED = Pattern.compile("(.+)=(\\d+(?:\\.\\d*)?)");

    /** Reads {@code path} or {@code path=0.7}; with one weight all must have one. */
    public static List<WeightedSource> parse(List<String> texts) {
        List<WeightedSource> sources = new ArrayList<>();
        for (String text : texts) {
            Matcher weighted = WEIGHTED.matcher(text);
            sources.add(
                    weighted.matches()
                            ? new WeightedSource(weighted.group(1), Double.parseDouble(weighted.group(2)))
                            : new WeightedSource(text, 0));
        }

        boolean some = sources.stream().anyMatch(WeightedSource::isWeighted);
        if (some) {
            sources.stream().filter(source -> !source.isWeighted()).findFirst().ifPresent(source -> {
                throw new BadInputException(
                        "Cannot mix data: expected a weight between 0 and 1 for each source, such as %s=0.3, found none"
                                .formatted(source.path()));
            });
        }

        return sources;
    }

    /** The rest of a message about a path that is not there: it may end with what was meant as a weight. */
    static String advice(String path) {
        Matcher number = NUMBERED.matcher(path);
        return number.matches()
                ? ". If %s is a weight: weights are below 1 and add up to 1, such as %s=0.7"
                        .formatted(number.group(2), number.group(1))
                : "";
    }

    /** The path without the state of a table that may stand behind it ({@code VERSION AS OF 3}). */
    public String place() {
        return TableVersion.nameOf(path);
    }

    /** The state that is asked for of a table, if any. */
    Optional<TableVersion> version() {
        return TableVersion.of(path);
    }

    /** This source, if it is asked for in no state of its own then in {@code version}. */
    public WeightedSource orAsOf(long version) {
        return version().isPresent() ? this : new WeightedSource(path + " VERSION AS OF " + version, weight);
    }

    boolean isWeighted() {
        return weight > 0;
    }
}
