package org.sparkqlora.checkpoint;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.sparkqlora.checkpoint.PublishedFiles.Quantized;
import org.sparkqlora.input.BadInputException;
import org.sparkqlora.input.TreeJson;
import org.sparkqlora.storage.StoredFile;
import org.sparkqlora.weights.QuantizationReport;
import org.sparkqlora.weights.safetensors.PythonJson;

/** The files of a published folder, and how its model was quantised if it was quantised there. */
final class PublishedJson {
    private static final String FILES = "files";
    private static final String NAME = "name";
    private static final String BYTES = "bytes";
    private static final String SHA256 = "sha256";
    private static final String QUANTIZED = "quantized";
    private static final String PLAN = "plan";
    private static final String WEIGHTS = "weights";
    private static final String BEFORE = "bytes_before";
    private static final String AFTER = "bytes_after";
    private static final String BITS = "bits_per_weight";
    private static final String ERROR = "mean_absolute_error";

    private PublishedJson() {}

    static String write(List<StoredFile> content) {
        return PythonJson.text(tree(content)) + "\n";
    }

    static String write(List<StoredFile> content, Quantized quantized) {
        ObjectNode root = tree(content);
        QuantizationReport report = quantized.report();
        root.putObject(QUANTIZED)
                .put(PLAN, quantized.plan())
                .put(WEIGHTS, report.weights())
                .put(BEFORE, report.bytesBefore())
                .put(AFTER, report.bytesAfter())
                .put(BITS, report.bitsPerWeight())
                .put(ERROR, report.meanAbsoluteError());
        return PythonJson.text(root) + "\n";
    }

    /** @param document name in messages */
    static PublishedFiles read(String document, String text) {
        JsonNode root = TreeJson.read(text, e -> wrong(document, e.getOriginalMessage()));

        List<StoredFile> files = new ArrayList<>();
        for (JsonNode file : root.path(FILES)) {
            files.add(new StoredFile(
                    file.path(NAME).asText(),
                    file.path(BYTES).asLong(-1),
                    file.path(SHA256).asText()));
        }

        for (StoredFile file : files) {
            boolean sound = file.bytes() >= 0
                    && file.sha256().matches("[0-9a-f]{64}")
                    && file.name().matches("[\\w.][\\w.+-]*")
                    && !file.name().matches("[.]+");
            if (!sound) {
                throw wrong(document, file.toString());
            }
        }

        if (files.isEmpty()) {
            throw wrong(document, "none");
        }

        return new PublishedFiles(files, quantized(root.path(QUANTIZED)));
    }

    private static @Nullable Quantized quantized(JsonNode node) {
        return node.isObject()
                ? new Quantized(
                        node.path(PLAN).asText(),
                        new QuantizationReport(
                                node.path(WEIGHTS).asLong(),
                                node.path(BEFORE).asLong(),
                                node.path(AFTER).asLong(),
                                node.path(BITS).asDouble(),
                                node.path(ERROR).asDouble()))
                : null;
    }

    private static ObjectNode tree(List<StoredFile> content) {
        ObjectNode root = JsonNodeFactory.instance.objectNode();
        ArrayNode files = root.putArray(FILES);
        for (StoredFile file : content) {
            files.addObject().put(NAME, file.name()).put(BYTES, file.bytes()).put(SHA256, file.sha256());
        }

        return root;
    }

    private static BadInputException wrong(String document, String found) {
        return new BadInputException(
                "Cannot read %s: expected files with name, bytes and sha256, found %s. Was it edited?"
                        .formatted(document, found));
    }
}
