package org.sparkqlora.run;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.sparkqlora.input.BadInputException;
import org.sparkqlora.spark.ui.Sample;

/** {@code samples.jsonl}: what the model said to prompts while it trained, a line an answer: {@code step}, {@code prompt}, {@code text}. */
final class SamplesJson {
    private static final ObjectMapper MAPPER = new ObjectMapper();

    private SamplesJson() {}

    /** The first and the last answer to each prompt that was answered more than once. */
    static List<Sample> firstAndLast(String lines) {
        Map<String, List<JsonNode>> answers = new LinkedHashMap<>();
        lines.lines()
                .filter(line -> !line.isBlank())
                .map(SamplesJson::parse)
                .forEach(line -> answers.computeIfAbsent(text(line.path("prompt")), prompt -> new ArrayList<>())
                        .add(line));
        List<Sample> samples = new ArrayList<>();
        answers.forEach((prompt, all) -> {
            JsonNode first = all.get(0);
            JsonNode last = all.get(all.size() - 1);
            if (all.size() > 1) {
                samples.add(new Sample(
                        prompt,
                        first.path("step").asLong(),
                        first.path("text").asText(),
                        last.path("step").asLong(),
                        last.path("text").asText()));
            }
        });
        return samples;
    }

    /** Turns of a conversation as lines. */
    private static String text(JsonNode prompt) {
        if (!prompt.isArray()) {
            return prompt.isTextual() ? prompt.asText() : prompt.toString();
        }

        List<String> turns = new ArrayList<>();
        prompt.forEach(turn -> turns.add(turn.path("content").asText()));
        return String.join("\n", turns);
    }

    private static JsonNode parse(String line) {
        try {
            return MAPPER.readTree(line);
        } catch (JsonProcessingException e) {
            throw new BadInputException("Cannot read samples.jsonl: expected JSON lines, found " + line, e);
        }
    }
}
