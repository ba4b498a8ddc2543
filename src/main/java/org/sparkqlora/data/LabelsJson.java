package org.sparkqlora.data;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Labels as part of a JSON object: their names, and {@code problem_type}. */
public final class LabelsJson {
    /** The key of the names. */
    public static final String LABELS = "labels";

    /** The key of what labels are. */
    public static final String PROBLEM_TYPE = "problem_type";

    private LabelsJson() {}

    /** Writes {@code labels} into {@code node}; nothing where there are none. */
    public static void write(@Nullable Labels labels, ObjectNode node) {
        if (labels != null) {
            node.put(PROBLEM_TYPE, labels.problem().optionName());
            labels.names().forEach(node.withArray(LABELS)::add);
        }
    }

    /** The labels in {@code node}; null where there are none. */
    public static @Nullable Labels read(JsonNode node) {
        if (!node.has(LABELS)) {
            return null;
        }

        List<String> names = new ArrayList<>();
        node.get(LABELS).forEach(name -> names.add(name.asText()));
        return new Labels(ProblemType.parse(node.path(PROBLEM_TYPE).asText()), names);
    }
}
