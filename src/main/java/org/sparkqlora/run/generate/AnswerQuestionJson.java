package org.sparkqlora.run.generate;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.nio.charset.StandardCharsets;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.sparkqlora.input.BadInputException;

/** A question as the first line of a file of answers, and as a property of a table. */
public final class AnswerQuestionJson {
    private static final ObjectMapper MAPPER = new ObjectMapper();
    private static final String COMMAND = "command";
    private static final String GENERATE = "generate";
    private static final String FACTS = "facts";
    private static final String PROMPTS = "prompts";
    private static final String VERSION = "version";
    private static final String ROWS = "rows";
    private static final String PARTS = "parts";
    private static final String DAY = "day";

    private AnswerQuestionJson() {}

    /**
     * In hex digits. Spark hides properties that look like secrets, among them all that have {@code token} or {@code url} in their
     * value.
     */
    public static String property(AnswerQuestion question) {
        return HexFormat.of().formatHex(write(question).getBytes(StandardCharsets.UTF_8));
    }

    /** The question of a {@link #property}. */
    public static AnswerQuestion ofProperty(String property) {
        try {
            return read(new String(HexFormat.of().parseHex(property), StandardCharsets.UTF_8));
        } catch (IllegalArgumentException e) {
            throw damaged(property, e);
        }
    }

    static String write(AnswerQuestion question) {
        ObjectNode root = MAPPER.createObjectNode();
        root.put(COMMAND, GENERATE);
        ObjectNode facts = root.putObject(FACTS);
        question.facts().forEach(facts::put);
        root.put(PROMPTS, question.prompts());
        root.put(VERSION, question.version());
        root.put(ROWS, question.rows());
        root.put(PARTS, question.parts());
        root.put(DAY, question.day());
        return root.toString();
    }

    static AnswerQuestion read(String json) {
        try {
            JsonNode root = MAPPER.readTree(json);
            if (!root.path(COMMAND).asText().equals(GENERATE)) {
                throw damaged(json, null);
            }

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
        } catch (JsonProcessingException e) {
            throw damaged(json, e);
        }
    }

    private static BadInputException damaged(String found, @Nullable Exception cause) {
        return new BadInputException(
                "Cannot go on with answers: expected the question that they answer, found %s".formatted(found), cause);
    }
}
