package org.sparkqlora.checkpoint;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.sparkqlora.input.BadInputException;
import org.sparkqlora.storage.Sha256;
import org.sparkqlora.storage.StoredFile;
import org.sparkqlora.weights.safetensors.FieldsJson;
import org.sparkqlora.weights.safetensors.PythonJson;

/** The commit object of a checkpoint. It carries the hash of its own text, so a flipped bit in it is noticed too. */
final class CommitJson {
    private static final String FORMAT = "format";
    private static final int FORMAT_NUMBER = 1;
    private static final String STEP = "step";
    private static final String RUN = "run";
    private static final String ATTEMPT = "attempt";
    private static final String FOLDER = "folder";
    private static final String FACTS = "facts";
    private static final String FILES = "files";
    private static final String NAME = "name";
    private static final String BYTES = "bytes";
    private static final String SHA256 = "sha256";
    private static final Set<String> KEYS = Set.of(FORMAT, STEP, RUN, ATTEMPT, FOLDER, FACTS, FILES, SHA256);

    private CommitJson() {}

    static String write(Commit commit) {
        ObjectNode root = JsonNodeFactory.instance.objectNode();
        root.put(FORMAT, FORMAT_NUMBER);
        root.put(STEP, commit.step());
        root.put(RUN, commit.run());
        root.put(ATTEMPT, commit.attempt());
        root.put(FOLDER, commit.folder());
        commit.facts().forEach(root.putObject(FACTS)::put);
        ArrayNode files = root.putArray(FILES);
        for (StoredFile file : commit.files()) {
            files.addObject().put(NAME, file.name()).put(BYTES, file.bytes()).put(SHA256, file.sha256());
        }

        root.put(SHA256, hash(root));
        return PythonJson.text(root) + "\n";
    }

    static Commit parse(String document, String text) {
        FieldsJson fields = FieldsJson.parse(document, text);
        String expected = fields.text(SHA256);
        requireKnown(fields);
        fields.node().remove(SHA256);
        String found = hash(fields.node());
        if (!found.equals(expected)) {
            throw new BadInputException("Cannot trust %s: expected its own SHA-256 to be %s, found %s"
                    .formatted(document, expected, found));
        }

        return new Commit(
                fields.node().path(STEP).asLong(),
                fields.text(RUN),
                fields.node().path(ATTEMPT).asLong(),
                fields.text(FOLDER),
                facts(fields.object(FACTS)),
                files(document, fields.node().path(FILES)));
    }

    private static void requireKnown(FieldsJson fields) {
        if (fields.integer(FORMAT) != FORMAT_NUMBER) {
            throw fields.wrong(
                    FORMAT, String.valueOf(FORMAT_NUMBER), fields.node().get(FORMAT));
        }

        Set<String> unknown = new TreeSet<>();
        fields.node().fieldNames().forEachRemaining(unknown::add);
        unknown.removeAll(KEYS);
        if (!unknown.isEmpty()) {
            throw new BadInputException("Cannot read %s: expected the keys %s, found also %s"
                    .formatted(fields.document(), new TreeSet<>(KEYS), unknown));
        }
    }

    private static Map<String, String> facts(FieldsJson fields) {
        Map<String, String> facts = new HashMap<>();
        fields.node().fieldNames().forEachRemaining(key -> facts.put(key, fields.text(key)));
        return facts;
    }

    private static List<StoredFile> files(String document, JsonNode node) {
        List<StoredFile> files = new ArrayList<>();
        for (JsonNode entry : node) {
            FieldsJson file = FieldsJson.parse(document, entry.toString());
            files.add(new StoredFile(file.text(NAME), file.node().path(BYTES).asLong(), file.text(SHA256)));
        }

        return files;
    }

    private static String hash(ObjectNode withoutHash) {
        return Sha256.hex(PythonJson.text(withoutHash).getBytes(StandardCharsets.UTF_8));
    }
}
