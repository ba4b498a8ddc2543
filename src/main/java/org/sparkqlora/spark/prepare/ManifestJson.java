package org.sparkqlora.spark.prepare;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Set;
import org.sparkqlora.data.ExampleKind;
import org.sparkqlora.data.Examples;
import org.sparkqlora.data.LabelsJson;
import org.sparkqlora.input.BadInputException;
import org.sparkqlora.input.TreeJson;

/** {@code manifest.json} of a prepared folder. */
final class ManifestJson {
    private static final ObjectMapper MAPPER = new ObjectMapper();
    private static final int FORMAT = 1;
    private static final String FORMAT_KEY = "format_version";
    private static final String FINGERPRINT = "fingerprint";
    private static final String WIDTH = "width";
    private static final String FILES = "files";
    private static final String COUNTS = "counts";
    private static final String SOURCE = "source"; // of weighted sources alone
    private static final String TOKENIZER = "tokenizer_sha256"; // these two not in manifests of earlier versions
    private static final String VOCABULARY = "vocabulary_size";
    private static final String EXAMPLES = "examples"; // where they are not supervised
    private static final String REFERENCE = "reference"; // where rows hold its log-probabilities
    private static final String TABLES = "tables"; // where there are some
    private static final Set<String> KEYS = Set.of(
            FORMAT_KEY,
            FINGERPRINT,
            WIDTH,
            FILES,
            COUNTS,
            TOKENIZER,
            VOCABULARY,
            EXAMPLES,
            LabelsJson.LABELS,
            LabelsJson.PROBLEM_TYPE,
            REFERENCE,
            TABLES);

    private ManifestJson() {}

    static String write(Manifest manifest) {
        ObjectNode root = MAPPER.createObjectNode();
        root.put(FORMAT_KEY, FORMAT);
        root.put(FINGERPRINT, manifest.fingerprint());
        root.put(WIDTH, manifest.width());
        if (manifest.kind() != ExampleKind.SUPERVISED) {
            root.put(EXAMPLES, manifest.kind().optionName());
        }

        LabelsJson.write(manifest.examples().labels(), root);

        if (manifest.reference() != null) {
            root.put(REFERENCE, manifest.reference());
        }

        root.put(TOKENIZER, manifest.ids().tokenizer());
        root.put(VOCABULARY, manifest.ids().vocabulary());
        manifest.tables().forEach(table -> root.withArray(TABLES).add(table));
        for (PreparedFile file : manifest.files()) {
            ObjectNode node = root.withArray(FILES).addObject();
            node.put("name", file.name());
            node.put("rows", file.rows());
            node.put("sha256", file.sha256());
            if (file.source() > 0) {
                node.put(SOURCE, file.source());
            }
        }

        CountsJson.write(manifest.counts(), root.putObject(COUNTS));
        return root.toPrettyString() + "\n";
    }

    static Manifest read(String json) {
        JsonNode root = parse(json);
        requireKeys(root);
        List<PreparedFile> files = new ArrayList<>();
        for (JsonNode file : root.path(FILES)) {
            files.add(new PreparedFile(
                    field(file, "name").asText(),
                    whole(field(file, "rows"), "rows"),
                    field(file, "sha256").asText(),
                    file.path(SOURCE).asInt(0)));
        }

        return new Manifest(
                field(root, FINGERPRINT).asText(),
                (int) Math.min(Integer.MAX_VALUE, whole(field(root, WIDTH), WIDTH)),
                files,
                CountsJson.read(field(root, COUNTS)),
                new TokenIds(
                        root.path(TOKENIZER).asText(""), root.path(VOCABULARY).asInt(0)),
                new Examples(
                        ExampleKind.parse(root.path(EXAMPLES).asText(ExampleKind.SUPERVISED.optionName())),
                        LabelsJson.read(root)),
                root.hasNonNull(REFERENCE) ? root.path(REFERENCE).asText() : null,
                tables(root));
    }

    private static List<String> tables(JsonNode root) {
        List<String> tables = new ArrayList<>();
        root.path(TABLES).forEach(table -> tables.add(table.asText()));
        return tables;
    }

    private static long whole(JsonNode value, String key) {
        if (!value.isIntegralNumber() || !value.canConvertToLong() || value.longValue() < 0) {
            throw new BadInputException(
                    "Cannot read a manifest: expected a whole number for '%s', found %s".formatted(key, value));
        }

        return value.longValue();
    }

    private static JsonNode parse(String json) {
        return TreeJson.read(json, e -> new BadInputException("Cannot read a manifest: " + e.getOriginalMessage(), e));
    }

    private static void requireKeys(JsonNode root) {
        if (field(root, FORMAT_KEY).asInt() != FORMAT) {
            throw new BadInputException("Cannot read a manifest of format %s: expected %d. Prepare the data again."
                    .formatted(root.get(FORMAT_KEY), FORMAT));
        }

        for (Iterator<String> names = root.fieldNames(); names.hasNext(); ) {
            String name = names.next();
            if (!KEYS.contains(name)) {
                throw new BadInputException("Cannot read a manifest: unknown key '%s'".formatted(name));
            }
        }
    }

    private static JsonNode field(JsonNode node, String key) {
        JsonNode value = node.get(key);
        if (value == null) {
            throw new BadInputException("Cannot read a manifest: expected a value for '%s', found none".formatted(key));
        }

        return value;
    }
}
