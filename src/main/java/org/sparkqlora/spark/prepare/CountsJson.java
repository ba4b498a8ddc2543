package org.sparkqlora.spark.prepare;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import org.sparkqlora.input.BadInputException;

/** {@link PreparationCounts} in our files. */
final class CountsJson {
    private CountsJson() {}

    static void write(PreparationCounts counts, ObjectNode node) {
        node.put("examples", counts.examples());
        node.put("rows", counts.rows());
        node.put("tokens", counts.tokens());
        node.put("trained_tokens", counts.trainedTokens());
        node.put("truncated", counts.truncated());
        node.put("untrained", counts.untrained());
        node.put("bad", counts.bad());
    }

    static PreparationCounts read(JsonNode node) {
        return new PreparationCounts(
                value(node, "examples"),
                value(node, "rows"),
                value(node, "tokens"),
                value(node, "trained_tokens"),
                value(node, "truncated"),
                value(node, "untrained"),
                value(node, "bad"));
    }

    private static long value(JsonNode node, String key) {
        JsonNode value = node.get(key);
        if (value == null || !value.canConvertToLong()) {
            throw new BadInputException(
                    "Cannot read a manifest: expected a number for '%s', found %s".formatted(key, value));
        }

        return value.asLong();
    }
}
