package org.sparkqlora.weights;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;

/** Reads {@code model.safetensors.index.json}: which shard of the folder holds each tensor. */
final class ShardIndexJson {
    private static final String WEIGHT_MAP = "weight_map";

    private ShardIndexJson() {}

    /** Shard file names by tensor. A name that could leave the folder is refused. */
    static Map<String, String> read(Path indexJson) {
        try {
            return parse(indexJson.toString(), Files.readString(indexJson));
        } catch (IOException e) {
            throw new UncheckedIOException("Failed to read " + indexJson, e);
        }
    }

    private static Map<String, String> parse(String document, String text) {
        FieldsJson fields = FieldsJson.parse(document, text);
        ObjectNode weightMap = fields.object(WEIGHT_MAP).node();
        if (weightMap.isEmpty()) {
            throw fields.wrong(
                    WEIGHT_MAP, "shard names by tensor", fields.node().get(WEIGHT_MAP));
        }

        Map<String, String> shards = new LinkedHashMap<>();
        weightMap
                .fields()
                .forEachRemaining(
                        entry -> shards.put(entry.getKey(), shardName(document, entry.getKey(), entry.getValue())));
        return shards;
    }

    private static String shardName(String document, String tensor, JsonNode value) {
        String name = value.asText();
        boolean plain = value.isTextual() && name.matches("[\\w][\\w.+-]*\\.safetensors");
        if (!plain) {
            throw new InvalidWeightsException(
                    "Cannot read %s: expected tensor %s in a .safetensors file of the same folder, found %s"
                            .formatted(document, tensor, value));
        }

        return name;
    }
}
