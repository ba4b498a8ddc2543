package org.sparkqlora.ml;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.Map;
import org.sparkqlora.input.BadInputException;

/**
 * A question as a property of a table: JSON in hex digits. Spark hides properties that look like secrets, among them all that have
 * {@code token} or {@code url} in their value.
 */
final class AnswerQuestionJson {
    private static final ObjectMapper MAPPER = new ObjectMapper();
    private static final String FACTS = "facts";
    private static final String PROMPTS = "prompts";
    private static final String VERSION = "version";
    private static final String ROWS = "rows";
    private static final String PARTS = "parts";
    private static final String DAY = "day";

    private AnswerQuestionJson() {}

    static String write(AnswerQuestion question) {
        ObjectNode root = MAPPER.createObjectNode();
        ObjectNode facts = root.putObject(FACTS);
        question.facts().forEach(facts::put);
        root.put(PROMPTS, question.prompts());
        root.put(VERSION, question.version());
        root.put(ROWS, question.rows());
        root.put(PARTS, question.parts());
        root.put(DAY, question.day());
        return HexFormat.of().formatHex(root.toString().getBytes(StandardCharsets.UTF_8));
    }

    static AnswerQuestion read(String property) {
        try {
            JsonNode root = MAPPER.readTree(HexFormat.of().parseHex(property));
            Map<String, String> facts = new LinkedHashMap<>();
            root.path(FACTS)
                    .fields()
                    .forEachRemaining(
                            fact -> facts.put(fact.getKey(), fact.getValue().asText()));
            return new AnswerQuestion(
                    facts,
                    root.path(PROMPTS).asText(),
                    root.path(VERSION).isNumber() ? root.path(VERSION).longValue() : null,
                    root.path(ROWS).asText(),
                    root.path(PARTS).asInt(),
                    root.path(DAY).textValue());
        } catch (IOException | IllegalArgumentException e) {
            throw new BadInputException(
                    "Cannot go on with the answers: expected their question in a property of the table, found %s"
                            .formatted(property),
                    e);
        }
    }
}
