package org.sparkqlora.cli;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.SplittableRandom;

/** JSON with one value gone, or another in its place: still JSON, so that damage reaches beyond the parser. */
final class JsonMutation {
    private static final JsonMapper MAPPER = JsonMapper.builder().build();
    private static final String VALUES = """
            [null, true, false, 0, 1, 2, 3, 7, -1, 0.5, 255, 65536, 2147483647, 2147483648, 9223372036854775807, 1e308, -1e308, "", " ",
             "a", "x", "\\u0000", "\u00e9", "\ud83e\udd89", "(a|b)*c", "\\\\s*[x]+", "A", "B", "BPE", "Sequence", "Strip", "[]", [], {}, [[]], [1], ["a"], {"a": 1}]
            """;

    private JsonMutation() {}

    /** Nothing for a file that is no JSON object. */
    static Optional<byte[]> of(byte[] file, SplittableRandom random) {
        try {
            if (!(MAPPER.readTree(file) instanceof ObjectNode root)) {
                return Optional.empty();
            }

            for (int i = random.nextInt(1, 3); i > 0; i--) {
                change(root, root.deepCopy(), random);
            }

            return Optional.of(MAPPER.writeValueAsBytes(root));
        } catch (IOException e) {
            return Optional.empty();
        }
    }

    private static void change(ObjectNode root, ObjectNode donor, SplittableRandom random) throws IOException {
        JsonNode parent = container(root, random);
        JsonNode values = MAPPER.readTree(VALUES);
        JsonNode value = random.nextInt(4) == 0
                ? container(donor, random)
                : values.get(random.nextInt(values.size())).deepCopy();
        if (parent instanceof ArrayNode array && !array.isEmpty()) {
            int place = random.nextInt(array.size());
            if (random.nextInt(5) == 0) {
                array.remove(place);
            } else {
                array.set(place, value);
            }
        } else if (parent instanceof ObjectNode object && !object.isEmpty()) {
            List<String> names = new ArrayList<>();
            object.fieldNames().forEachRemaining(names::add);
            String name = names.get(random.nextInt(names.size()));
            if (random.nextInt(5) == 0) {
                object.remove(name);
            } else {
                object.set(name, value);
            }
        }
    }

    /** An object or array anywhere inside, each level as likely as the next. */
    private static JsonNode container(JsonNode node, SplittableRandom random) {
        List<JsonNode> inner = new ArrayList<>();
        node.forEach(each -> {
            if (each.isContainerNode()) {
                inner.add(each);
            }
        });
        return inner.isEmpty() || random.nextInt(4) == 0
                ? node
                : container(inner.get(random.nextInt(inner.size())), random);
    }
}
