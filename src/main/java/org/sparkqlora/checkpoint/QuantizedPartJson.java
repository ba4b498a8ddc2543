package org.sparkqlora.checkpoint;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import org.sparkqlora.input.BadInputException;
import org.sparkqlora.storage.StoredFile;
import org.sparkqlora.weights.FourBitPart;

/** The note of a {@link QuantizedPart}. */
final class QuantizedPartJson {
    private static final ObjectMapper MAPPER = new ObjectMapper();
    private static final String BYTES = "bytes";
    private static final String SHA256 = "sha256";
    private static final String WEIGHTS = "weights";
    private static final String QUANTIZED_BYTES = "quantized_bytes";
    private static final String ERROR_SUM = "error_sum";

    private QuantizedPartJson() {}

    static String write(QuantizedPart.Stored part) {
        ObjectNode root = MAPPER.createObjectNode();
        root.put(BYTES, part.file().bytes());
        root.put(SHA256, part.file().sha256());
        root.put(WEIGHTS, part.written().weights());
        root.put(QUANTIZED_BYTES, part.written().quantizedBytes());
        root.put(ERROR_SUM, part.written().errorSum());
        return root + "\n";
    }

    static QuantizedPart.Stored read(String document, String name, String text) {
        try {
            JsonNode root = MAPPER.readTree(text);
            return new QuantizedPart.Stored(
                    new StoredFile(
                            name,
                            root.required(BYTES).asLong(),
                            root.required(SHA256).asText()),
                    new FourBitPart.Written(
                            root.required(WEIGHTS).asLong(),
                            root.required(QUANTIZED_BYTES).asLong(),
                            root.required(ERROR_SUM).asDouble()));
        } catch (JsonProcessingException | IllegalArgumentException e) {
            throw new BadInputException(
                    "Cannot read %s: expected what quantize wrote of a file, found %s. Delete it; the same command then writes it again"
                            .formatted(document, text.strip()),
                    e);
        }
    }
}
