package org.sparkqlora.spark.prepare;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.List;
import org.sparkqlora.input.BadInputException;
import org.sparkqlora.input.TreeJson;

/** The JSON of a {@link FinishedGroup}. */
final class GroupResultJson {
    private static final ObjectMapper MAPPER = new ObjectMapper();
    private static final String FILE = "file";
    private static final String COUNTS = "counts";
    private static final String LENGTHS = "lengths";
    private static final String HASHES = "hashes";
    private static final String REPEATED = "repeated"; // not of earlier versions, which wrote such a hash again

    private GroupResultJson() {}

    static String write(GroupResult result) {
        ObjectNode root = MAPPER.createObjectNode();
        PreparedFile file = result.file();
        if (file != null) {
            ObjectNode node = root.putObject(FILE);
            node.put("name", file.name());
            node.put("rows", file.rows());
            node.put("sha256", file.sha256());
        }

        CountsJson.write(result.counts(), root.putObject(COUNTS));
        ExampleChecks checks = result.checks();
        put(root.putArray(LENGTHS), checks.lengths());
        put(root.putArray(HASHES), checks.hashes());
        root.put(REPEATED, checks.repeated());
        root.put("longest", checks.longest());
        root.put("cut_tokens", checks.cutTokens());
        root.put("double_bos", checks.doubleBos());
        root.put("double_end", checks.doubleEnd());
        root.put("missing_end", checks.missingEnd());
        root.put("changed_prompts", checks.changedPrompts());
        return root.toString();
    }

    static GroupResult read(String json, int group) {
        JsonNode root = TreeJson.read(
                json, e -> new BadInputException("Cannot read what is left of group %d: %s".formatted(group, json), e));

        JsonNode file = root.path(FILE);
        return new GroupResult(
                group,
                file.isObject()
                        ? new PreparedFile(
                                file.path("name").asText(),
                                file.path("rows").asLong(),
                                file.path("sha256").asText())
                        : null,
                CountsJson.read(root.path(COUNTS)),
                checks(root),
                List.of());
    }

    private static ExampleChecks checks(JsonNode root) {
        return new ExampleChecks(
                longs(root.path(LENGTHS)),
                root.path("longest").asLong(),
                root.path("cut_tokens").asLong(),
                root.path("double_bos").asLong(),
                root.path("double_end").asLong(),
                root.path("missing_end").asLong(),
                root.path("changed_prompts").asLong(),
                longs(root.path(HASHES)),
                root.path(REPEATED).asLong(0));
    }

    private static void put(ArrayNode node, long[] values) {
        for (long value : values) {
            node.add(value);
        }
    }

    private static long[] longs(JsonNode node) {
        long[] values = new long[node.size()];
        for (int i = 0; i < values.length; i++) {
            values[i] = node.path(i).asLong();
        }

        return values;
    }
}
