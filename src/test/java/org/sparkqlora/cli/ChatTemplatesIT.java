package org.sparkqlora.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.LocalDate;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Supplier;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.sparkqlora.data.BadRecordException;
import org.sparkqlora.data.ChatTemplate;
import org.sparkqlora.data.Example.Conversation;
import org.sparkqlora.data.ExampleJson;
import org.sparkqlora.data.RecordFormat;
import org.sparkqlora.data.jinja.Template;
import org.sparkqlora.tokenizer.EncodedExample;
import org.sparkqlora.tokenizer.ExampleEncoder;
import org.sparkqlora.tokenizer.ModelTokenizer;
import org.sparkqlora.tokenizer.TestTokenizers;
import org.sparkqlora.tokenizer.TrainOn;

/**
 * Every chat template that TRL carries, rendered and encoded as transformers does it; the conversations are in
 * {@code src/test/python/render_chat_templates.py}. TRL is fetched now and no part of this project.
 */
@Tag("platform")
class ChatTemplatesIT {
    private static final String TRL = "trl==1.16.0";

    /** Most of what the script makes can be rendered; fewer would mean that it broke. */
    private static final int FEWEST_TEXTS = 6000;

    private static final int FEWEST_MASKS = 1000;

    /** The script's clock stands here. */
    private static final LocalDate DAY = LocalDate.of(2024, 7, 6);

    /** As in the script: the template of a tokenizer has the system's clock. */
    private static final String DATE = "{% macro strftime_now(format) %}6 July 2024{% endmacro %}";

    @TempDir
    private static Path temporary;

    private static Path templates;
    private static final List<JsonNode> CASES = new ArrayList<>();
    private static final Map<String, ModelTokenizer> TOKENIZERS = new HashMap<>();

    @BeforeAll
    static void letTransformersRender() throws IOException, InterruptedException {
        PythonEnvironment python = PythonEnvironment.open();
        python.fetch(TRL, temporary.resolve("packages"));
        templates = temporary.resolve("packages/trl/chat_templates");
        Path output = temporary.resolve("cases.jsonl");
        python.run("render_chat_templates.py", templates, TestTokenizers.bytes(), TestTokenizers.pieces(), output);
        for (String line : Files.readAllLines(output)) {
            CASES.add(new ObjectMapper().readTree(line));
        }
    }

    @AfterAll
    static void closeTokenizers() {
        TOKENIZERS.values().forEach(ModelTokenizer::close);
    }

    @Test
    void rendersEveryTemplateAsTransformersDoes() {
        List<String> differences = new ArrayList<>();
        Set<String> seen = new HashSet<>();
        int texts = 0;
        for (JsonNode each : CASES) {
            ChatTemplate template = template(each);
            texts += compare(each, "whole", () -> whole(template, each), differences);
            texts += compare(each, "prompt", () -> prompt(template, each), differences);
            seen.add(each.get("template").textValue());
        }

        assertThat(differences).isEmpty();
        assertThat(texts).isGreaterThan(FEWEST_TEXTS);
        assertThat(seen).hasSizeGreaterThan(70);
    }

    @Test
    void encodesAndMasksEveryConversationAsTransformersDoes() {
        List<String> differences = new ArrayList<>();
        int masks = 0;
        for (JsonNode each : CASES) {
            JsonNode theirs = each.get("encoded");
            if (theirs.path("mask").isArray()) {
                EncodedExample ours = new ExampleEncoder(tokenizer(each), TrainOn.ASSISTANT).encode(conversation(each));
                noteIfDifferent(each, "ids", integers(theirs.get("ids")), ours.ids(), differences);
                noteIfDifferent(each, "mask", integers(theirs.get("mask")), numbers(ours.trained()), differences);
                masks++;
            }
        }

        assertThat(differences).isEmpty();
        assertThat(masks).isGreaterThan(FEWEST_MASKS);
    }

    private static int compare(JsonNode each, String key, Supplier<String> ours, List<String> differences) {
        String found;
        try {
            found = ours.get();
        } catch (BadRecordException e) {
            found = "error: " + e.getMessage();
        }

        JsonNode theirs = each.get(key);
        boolean bothRefuse = theirs.has("error") && found.startsWith("error: ");
        if (!bothRefuse && !found.equals(theirs.path("text").textValue())) {
            differences.add("%s: expected %s found '%s'".formatted(label(each, key), theirs, found));
        }

        return theirs.has("text") ? 1 : 0;
    }

    private static void noteIfDifferent(
            JsonNode each, String key, List<Integer> theirs, int[] found, List<String> differences) {
        List<Integer> ours = Arrays.stream(found).boxed().toList();
        if (!ours.equals(theirs)) {
            differences.add("%s: expected %s found %s".formatted(label(each, key), theirs, ours));
        }
    }

    private static String label(JsonNode each, String key) {
        return "%s %s '%s' %s"
                .formatted(
                        each.get("tokenizer").textValue(),
                        each.get("template").textValue(),
                        each.get("name").textValue(),
                        key);
    }

    private static String whole(ChatTemplate template, JsonNode each) {
        Conversation conversation = conversation(each);
        return template.renderConversation(conversation.messages(), conversation.tools());
    }

    private static String prompt(ChatTemplate template, JsonNode each) {
        Conversation conversation = conversation(each);
        return template.renderPrompt(conversation.messages(), conversation.tools());
    }

    private static Conversation conversation(JsonNode each) {
        return (Conversation) ExampleJson.read(each.get("record").toString(), RecordFormat.MESSAGES);
    }

    private static ChatTemplate template(JsonNode each) {
        Map<String, String> tokens = new LinkedHashMap<>();
        each.get("special_tokens")
                .fields()
                .forEachRemaining(
                        token -> tokens.put(token.getKey(), token.getValue().textValue()));
        try {
            return ChatTemplate.of(Template.parse(source(each.get("template").textValue())), tokens)
                    .on(DAY);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static ModelTokenizer tokenizer(JsonNode each) {
        Path folder =
                each.get("tokenizer").textValue().equals("bytes") ? TestTokenizers.bytes() : TestTokenizers.pieces();
        String template = each.get("template").textValue();
        return TOKENIZERS.computeIfAbsent(
                folder + " " + template, key -> ModelTokenizer.open(folder, withStandingDate(template), List.of()));
    }

    private static Path withStandingDate(String template) {
        try {
            return Files.writeString(temporary.resolve(template), DATE + source(template));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static String source(String template) throws IOException {
        return Files.readString(templates.resolve(template));
    }

    private static List<Integer> integers(JsonNode array) {
        List<Integer> values = new ArrayList<>();
        array.forEach(value -> values.add(value.intValue()));
        return values;
    }

    private static int[] numbers(boolean[] mask) {
        int[] numbers = new int[mask.length];
        for (int t = 0; t < mask.length; t++) {
            numbers[t] = mask[t] ? 1 : 0;
        }

        return numbers;
    }
}
