package org.sparkqlora.data;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.Collection;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import org.sparkqlora.input.BadInputException;

/** The labels that are found in records, to name the classes after them. */
public final class LabelNamesJson {
    /** As many classes as a head may have that nobody named. */
    static final int MOST = 1000;

    private static final String LABEL = "label";

    private final ProblemType problem;
    private final Columns columns;
    private final Set<String> found = new TreeSet<>();

    public LabelNamesJson(ProblemType problem, Columns columns) {
        this.problem = problem;
        this.columns = columns;
    }

    /** Takes the labels of a record. One that cannot be read has none: whoever reads it for training tells why. */
    public void add(@Nullable String record) {
        if (record == null) {
            return;
        }

        try {
            JsonNode fields = RecordJson.parse(record, columns);
            if (problem == ProblemType.MULTI_LABEL_CLASSIFICATION) {
                fields.path("labels").forEach(this::add);
            } else {
                add(fields.path(LABEL));
            }
        } catch (BadRecordException e) {
            // it has no label
        }
    }

    private void add(JsonNode label) {
        if (label.isValueNode() && !label.isNull()) {
            found.add(label.toString());
        }
    }

    /** Whether there are more than there may be. */
    public boolean isFull() {
        return found.size() > MOST;
    }

    /** The labels as JSON, each once. */
    public Set<String> found() {
        return Collections.unmodifiableSet(found);
    }

    /** The classes that {@code found} names: in the order of names, or by index with the names that transformers gives. */
    public static Labels labels(ProblemType problem, Collection<String> found) {
        Set<String> names = new TreeSet<>();
        int indices = 0;
        for (String json : found) {
            JsonNode label = RecordJson.parseText(LABEL, json);
            if (!label.isNumber()) {
                names.add(label.asText());
            } else if (isIndex(label)) {
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

        return new Labels(problem, names.isEmpty() ? numbered(indices) : List.copyOf(names));
    }

    private static boolean isIndex(JsonNode label) {
        return label.isIntegralNumber() && label.canConvertToInt() && label.intValue() >= 0 && label.intValue() < MOST;
    }

    private static List<String> numbered(int count) {
        return IntStream.range(0, count)
                .mapToObj(i -> String.format(Locale.ROOT, "LABEL_%d", i))
                .toList();
    }
}
