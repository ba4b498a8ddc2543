package org.sparkqlora.spark.source;

import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.sparkqlora.input.BadInputException;

/**
 * Data as a command line names it.
 *
 * @param path a file, a folder, a glob, or a table of the catalog; of a table perhaps a {@link TableQuery}
 * @param weight its part of the mixture, between 0 and 1; 0 when all of it is used
 */
public record WeightedSource(String path, double weight) {
    private static final Pattern WEIGHTED = Pattern.compile("(.+)=(0?\\.\\d+)");

    private static final Pattern NUMBERED = Pattern.compile("(.+)=(\\d+(?:\\.\\d*)?)");

    /** Reads {@code path} or {@code path=0.7}; with one weight all must have one. A condition may have been cut at its commas. */
    public static List<WeightedSource> parse(List<String> texts) {
        List<WeightedSource> sources = new ArrayList<>();
        for (String text : joined(texts)) {
            Matcher weighted = WEIGHTED.matcher(text);
            sources.add(
                    weighted.matches() && !isOfCondition(weighted.group(1))
                            ? new WeightedSource(weighted.group(1), Double.parseDouble(weighted.group(2)))
                            : new WeightedSource(text, 0));
        }

        sources.forEach(WeightedSource::query); // throws what cannot be read
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

    /** Whether a text asks for a table in SQL's words, which need be no path. */
    public static boolean isQuery(String text) {
        return !TableQuery.parse(text).name().equals(text);
    }

    /** In {@code WHERE score=0.5} a number is no weight, in {@code WHERE (a = 1)=0.5} it is. */
    private static boolean isOfCondition(String path) {
        String filter = TableQuery.parse(path).selection().filter();
        return filter != null && !SqlText.isEnclosed(filter);
    }

    private static List<String> joined(List<String> texts) {
        List<String> sources = new ArrayList<>();
        for (String text : texts) {
            int last = sources.size() - 1;
            if (last >= 0 && TableQuery.isCut(sources.get(last))) {
                sources.set(last, sources.get(last) + "," + text);
            } else {
                sources.add(text);
            }
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

    /** The name or path alone. */
    public String place() {
        return query().name();
    }

    /** The path without the state of a table that it may ask for. */
    public String unversioned() {
        return query().unversioned().toString();
    }

    TableQuery query() {
        return TableQuery.parse(path);
    }

    /** This source, if it is asked for in no state of its own then in {@code version}. */
    public WeightedSource orAsOf(long version) {
        TableQuery query = query();
        return query.version().isPresent()
                ? this
                : new WeightedSource(query.asOf(version).toString(), weight);
    }

    boolean isWeighted() {
        return weight > 0;
    }
}
