package org.sparkqlora.data;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.Collection;
import java.util.Iterator;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.IntStream;
import org.sparkqlora.input.BadInputException;

/** The labels that are found in records, to name the classes after them. */
public final class LabelNamesJson {
    /** As many classes as a head may have that nobody named. */
    static final int MOST = 1000;

    private static final String LABEL = "label";

    private LabelNamesJson() {}

    /**
     * The labels of {@code records} as JSON, each once; not many more than there may be. A record that cannot be read has none: whoever
     * reads it for training tells why.
     */
    public static Set<String> in(Iterator<String> records, ProblemType problem, Columns columns) {
        boolean many = problem == ProblemType.MULTI_LABEL_CLASSIFICATION;
        Set<String> found = new TreeSet<>();
        while (records.hasNext() && found.size() <= MOST) {
            JsonNode given = given(records.next(), many ? "labels" : LABEL, columns);
            if (many) {
                given.forEach(each -> addTo(found, each));
            } else {
                addTo(found, given);
            }
        }

        return found;
    }

    private static JsonNode given(String record, String field, Columns columns) {
        try {
            return RecordJson.parse(record, columns).path(field);
        } catch (BadRecordException e) {
            return RecordJson.parse("{}", columns).path(field);
        }
    }

    private static void addTo(Set<String> found, JsonNode label) {
        if (label.isValueNode() && !label.isNull()) {
            found.add(label.toString());
        }
    }

    /** The classes that {@code found} names: in the order of names, or by index with the names that transformers gives. */
    public static Labels labels(ProblemType problem, Collection<String> found) {
        Set<String> names = new TreeSet<>();
        int indices = 0;
        for (String json : found) {
            JsonNode label = RecordJson.parseText(LABEL, json);
            if (!label.isNumber()) {
                names.add(label.asText());
            } else if (label.canConvertToInt() && label.isIntegralNumber() && isIndex(label.intValue())) {
                indices = Math.max(indices, label.intValue() + 1);
            } else {
                throw new BadInputException(
                        "Cannot find the classes in the data: expected names, or indices from 0 to %d, found %s. --problem-type regression learns numbers"
                                .formatted(MOST - 1, json));
            }
        }

        if (names.size() > MOST || !names.isEmpty() && indices > 0) {
            throw new BadInputException(
                    "Cannot find the classes in the data: expected at most %d names, or indices, found %s. --labels names the classes"
                            .formatted(MOST, indices > 0 ? "both" : "more"));
        }

        return new Labels(
                problem, names.isEmpty() ? numbered(indices) : names.stream().toList());
    }

    private static boolean isIndex(int number) {
        return number >= 0 && number < MOST;
    }

    private static List<String> numbered(int count) {
        return IntStream.range(0, count)
                .mapToObj(i -> String.format(Locale.ROOT, "LABEL_%d", i))
                .toList();
    }
}
