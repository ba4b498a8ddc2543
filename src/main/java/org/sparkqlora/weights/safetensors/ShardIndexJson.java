package org.sparkqlora.weights.safetensors;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** {@code model.safetensors.index.json}: which shard of the folder holds each tensor. */
public final class ShardIndexJson {
    private static final String WEIGHT_MAP = "weight_map";

    private ShardIndexJson() {}

    /** Shard file names by tensor. A name that could leave the folder is refused. */
    static Map<String, String> read(Path indexJson) {
        return read(FieldsJson.read(indexJson));
    }

    /** The same of the {@code text} of an index; {@code document} is for messages. */
    public static Map<String, String> read(String document, String text) {
        return read(FieldsJson.parse(document, text));
    }

    private static Map<String, String> read(FieldsJson fields) {
        ObjectNode weightMap = fields.object(WEIGHT_MAP).node();
        if (weightMap.isEmpty()) {
            throw fields.wrong(
                    WEIGHT_MAP, "shard names by tensor", fields.node().get(WEIGHT_MAP));
        }

        Map<String, String> shards = new LinkedHashMap<>();
        weightMap
                .fields()
                .forEachRemaining(entry ->
                        shards.put(entry.getKey(), shardName(fields.document(), entry.getKey(), entry.getValue())));
        return shards;
    }

    /** The text for {@code shards}, the tensors of each file by its name. */
    public static String write(Map<String, List<TensorSpec>> shards) {
        ObjectNode root = JsonNodeFactory.instance.objectNode();
        ObjectNode weightMap = root.putObject(WEIGHT_MAP);
        long bytes = 0;
        long parameters = 0;
        for (Map.Entry<String, List<TensorSpec>> shard : shards.entrySet()) {
            for (TensorSpec tensor : shard.getValue()) {
                weightMap.put(tensor.name(), shard.getKey());
                bytes += tensor.byteSize();
                parameters += tensor.elements();
            }
        }

        root.putObject("metadata").put("total_parameters", parameters).put("total_size", bytes);
        return PythonJson.text(root) + "\n";
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
