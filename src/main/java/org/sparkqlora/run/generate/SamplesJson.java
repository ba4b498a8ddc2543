package org.sparkqlora.run.generate;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.sparkqlora.data.ChatMessage;
import org.sparkqlora.data.Prompt;
import org.sparkqlora.input.BadInputException;
import org.sparkqlora.input.TreeJson;
import org.sparkqlora.spark.ui.RunReport.Sample;

/**
 * Answers as JSON lines of {@code prompt}, {@code text} and {@code tokens}; in {@code samples.jsonl} with the {@code step} before. Of a prompt
 * that names its {@code adapter} with that.
 */
public final class SamplesJson {
    private static final ObjectMapper MAPPER = new ObjectMapper();

    private static final String ADAPTER = "adapter";
    private static final String TOKENS = "tokens";

    private SamplesJson() {}

    /** The first and the last answer to each prompt that was answered more than once. */
    public static List<Sample> firstAndLast(String lines) {
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

    /** A line of {@code samples.jsonl}. */
    static String write(long step, PromptFile.Line asked, Answers.Answer answer) {
        return line(MAPPER.createObjectNode().put("step", step), asked, answer).toString();
    }

    /** A line of the file that {@code generate --output} writes. */
    static String write(PromptFile.Line asked, Answers.Answer answer) {
        return line(MAPPER.createObjectNode(), asked, answer).toString();
    }

    /**
     * The same with the loss of the answer.
     *
     * @param tokens that it sums over
     */
    static String write(PromptFile.Line asked, Answers.Answer answer, double lossSum, long tokens) {
        return line(MAPPER.createObjectNode(), asked, answer)
                .put("loss_sum", lossSum)
                .put("loss_tokens", tokens)
                .toString();
    }

    /** Counts a line that this wrote for its adapter; the name is empty where it has none. */
    static void count(String line, Map<String, AnswerCount> counts) {
        JsonNode answer = parse(line);
        counts.merge(
                answer.path(ADAPTER).asText(),
                new AnswerCount(1, answer.path(TOKENS).asLong()),
                AnswerCount::plus);
    }

    private static ObjectNode line(ObjectNode line, PromptFile.Line asked, Answers.Answer answer) {
        line.set("prompt", MAPPER.valueToTree(asked(asked.prompt())));
        if (!asked.adapter().isEmpty()) {
            line.put(ADAPTER, asked.adapter());
        }

        line.put("text", answer.text());
        return line.put(TOKENS, answer.tokens());
    }

    /** The prompt as its file has it. */
    private static Object asked(Prompt prompt) {
        if (prompt instanceof Prompt.Turns turns) {
            return turns.messages().stream().map(ChatMessage::fields).toList();
        }

        return prompt instanceof Prompt.Beginning beginning ? beginning.text() : ((Prompt.Question) prompt).text();
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
        return TreeJson.read(
                line, e -> new BadInputException("Cannot read answers: expected JSON lines, found " + line, e));
    }
}
