package org.sparkqlora.data;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectReader;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.sparkqlora.data.Example.Conversation;
import org.sparkqlora.data.Example.PlainText;
import org.sparkqlora.data.Example.PromptCompletion;
import org.sparkqlora.data.Example.TokenSequence;

/** Reads a training example from one line of JSON. Fields that a format does not use are ignored. */
public final class ExampleJson {
    private static final String MESSAGES = "messages";
    private static final String TOOLS = "tools";
    private static final String PROMPT = "prompt";
    private static final String COMPLETION = "completion";
    private static final String TEXT = "text";
    private static final String INPUT_IDS = "input_ids";
    private static final String LABELS = "labels";
    private static final String ROLE = "role";
    private static final String CONTENT = "content";
    private static final String ASSISTANT = "assistant";

    private static final ObjectReader READER = JsonMapper.builder()
            .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
            .build()
            .reader();

    private ExampleJson() {}

    /** The example in {@code line}. */
    public static Example read(String line, RecordFormat format) {
        JsonNode record = parse(line);
        RecordFormat actual = format == RecordFormat.AUTO ? detect(record) : format;
        return switch (actual) {
            case MESSAGES -> readConversation(record);
            case PROMPT_COMPLETION -> readPromptCompletion(record);
            case TEXT -> new PlainText(text(record, TEXT));
            case TOKENS -> new TokenSequence(integers(record, INPUT_IDS), integers(record, LABELS));
            case AUTO -> throw new IllegalStateException("Cannot detect the format of a record as auto");
        };
    }

    /**
     * The prompt in {@code line}: {@code {"messages": [...]}} or {@code {"prompt": ...}} as text or list of messages. A last turn of the
     * assistant among the messages is what is asked for, and left out.
     */
    public static Prompt readPrompt(String line) {
        JsonNode record = parse(line);
        if (record.has(MESSAGES)) {
            return new Prompt.Turns(unanswered(messages(record, MESSAGES)), tools(record));
        }

        return field(record, PROMPT).isTextual()
                ? new Prompt.Beginning(text(record, PROMPT))
                : new Prompt.Turns(messages(record, PROMPT), tools(record));
    }

    private static List<ChatMessage> unanswered(List<ChatMessage> messages) {
        int last = messages.size() - 1;
        List<ChatMessage> asked = messages.get(last).role().equals(ASSISTANT) ? messages.subList(0, last) : messages;
        if (asked.isEmpty()) {
            throw new BadRecordException(
                    "Cannot read field messages: expected a turn to answer, found an answer alone");
        }

        return asked;
    }

    private static JsonNode parse(String line) {
        JsonNode record;
        try {
            record = READER.readTree(line);
        } catch (JsonProcessingException e) {
            throw new BadRecordException(
                    "Cannot read the record as JSON: %s%s".formatted(e.getOriginalMessage(), column(e)), e);
        }

        if (!record.isObject()) {
            throw new BadRecordException("Cannot read the record: expected a JSON object, found " + describe(record));
        }

        return record;
    }

    private static String column(JsonProcessingException failure) {
        return failure.getLocation() == null
                ? ""
                : " at column " + failure.getLocation().getColumnNr();
    }

    private static RecordFormat detect(JsonNode record) {
        if (record.has(MESSAGES)) {
            return RecordFormat.MESSAGES;
        }

        if (record.has(PROMPT) && record.has(COMPLETION)) {
            return RecordFormat.PROMPT_COMPLETION;
        }

        if (record.has(INPUT_IDS)) {
            return RecordFormat.TOKENS;
        }

        if (record.has(TEXT)) {
            return RecordFormat.TEXT;
        }

        throw new BadRecordException(
                "Cannot detect the format of the record: expected messages, or prompt and completion, or text, or input_ids"
                        + " and labels, found " + fieldNames(record));
    }

    private static Example readConversation(JsonNode record) {
        return new Conversation(messages(record, MESSAGES), tools(record), 0);
    }

    private static Example readPromptCompletion(JsonNode record) {
        if (field(record, PROMPT).isTextual()) {
            return new PromptCompletion(text(record, PROMPT), text(record, COMPLETION));
        }

        List<ChatMessage> prompt = messages(record, PROMPT);
        List<ChatMessage> whole = new ArrayList<>(prompt);
        whole.addAll(messages(record, COMPLETION));
        return new Conversation(whole, tools(record), prompt.size());
    }

    private static List<ChatMessage> messages(JsonNode record, String name) {
        JsonNode list = field(record, name);
        if (!list.isArray() || list.isEmpty()) {
            throw new BadRecordException("Cannot read field %s: expected a list of at least 1 message, found %s"
                    .formatted(name, describe(list)));
        }

        List<ChatMessage> messages = new ArrayList<>(list.size());
        for (int i = 0; i < list.size(); i++) {
            messages.add(message(list.get(i), "%s[%d]".formatted(name, i)));
        }

        return messages;
    }

    private static ChatMessage message(JsonNode node, String place) {
        if (!node.isObject()) {
            throw new BadRecordException("Cannot read %s: expected an object with role and content, found %s"
                    .formatted(place, describe(node)));
        }

        JsonNode role = node.path(ROLE);
        if (!role.isTextual() || role.textValue().isBlank()) {
            throw new BadRecordException("Cannot read %s: expected a role such as user or assistant, found %s"
                    .formatted(place, describe(role)));
        }

        return new ChatMessage(role.textValue(), content(node, place), PlainJson.readObject(node));
    }

    /** The text of a message. A list of parts stays in the fields for the template; its texts are joined here. */
    private static String content(JsonNode message, String place) {
        JsonNode content = message.path(CONTENT);
        if (content.isTextual()) {
            return content.textValue();
        }

        if (content.isArray()) {
            return partTexts(content, place);
        }

        boolean mayBeEmpty = message.has("tool_calls") && (content.isNull() || content.isMissingNode());
        if (mayBeEmpty) {
            return "";
        }

        throw new BadRecordException(
                "Cannot read %s.content: expected a text, found %s".formatted(place, describe(content)));
    }

    private static String partTexts(JsonNode parts, String place) {
        StringBuilder text = new StringBuilder();
        for (JsonNode part : parts) {
            if (!part.path(TEXT).isTextual()) {
                throw new BadRecordException("Cannot read %s.content: expected parts of type text, found %s"
                        .formatted(place, describe(part)));
            }

            text.append(part.path(TEXT).textValue());
        }

        return text.toString();
    }

    private static List<Object> tools(JsonNode record) {
        JsonNode tools = record.path(TOOLS);
        if (tools.isMissingNode() || tools.isNull()) {
            return List.of();
        }

        if (PlainJson.read(tools.isTextual() ? parseTools(tools.textValue()) : tools) instanceof List<?> list) {
            return list.stream().map(ExampleJson::requireTool).toList();
        }

        throw new BadRecordException("Cannot read field tools: expected a list, found " + describe(tools));
    }

    /** Some data sets keep the list as a text, since its columns would differ from row to row. */
    private static JsonNode parseTools(String text) {
        try {
            return READER.readTree(text);
        } catch (JsonProcessingException e) {
            throw new BadRecordException("Cannot read field tools as JSON: " + e.getOriginalMessage(), e);
        }
    }

    private static Object requireTool(@Nullable Object tool) {
        if (tool instanceof Map<?, ?> map) {
            return map;
        }

        throw new BadRecordException("Cannot read field tools: expected objects, found " + tool);
    }

    private static String text(JsonNode record, String name) {
        JsonNode value = field(record, name);
        if (!value.isTextual()) {
            throw new BadRecordException(
                    "Cannot read field %s: expected a text, found %s".formatted(name, describe(value)));
        }

        return value.textValue();
    }

    private static int[] integers(JsonNode record, String name) {
        JsonNode list = field(record, name);
        if (!list.isArray()) {
            throw new BadRecordException(
                    "Cannot read field %s: expected a list of integers, found %s".formatted(name, describe(list)));
        }

        int[] values = new int[list.size()];
        for (int i = 0; i < values.length; i++) {
            values[i] = integer(list.get(i), "%s[%d]".formatted(name, i));
        }

        return values;
    }

    private static int integer(JsonNode node, String place) {
        if (!node.isIntegralNumber() || !node.canConvertToInt()) {
            throw new BadRecordException(
                    "Cannot read %s: expected an integer of 32 bits, found %s".formatted(place, describe(node)));
        }

        return node.intValue();
    }

    private static JsonNode field(JsonNode record, String name) {
        JsonNode value = record.get(name);
        if (value == null) {
            throw new BadRecordException(
                    "Cannot read the record: expected a field %s, found %s".formatted(name, fieldNames(record)));
        }

        return value;
    }

    private static String fieldNames(JsonNode record) {
        List<String> names = new ArrayList<>();
        record.fieldNames().forEachRemaining(names::add);
        return names.isEmpty() ? "no field" : "the fields " + names;
    }

    /** Kind and beginning of a value, for messages. */
    private static String describe(JsonNode node) {
        String text = node.toString();
        return switch (node.getNodeType()) {
            case MISSING -> "nothing";
            case NULL -> "null";
            case OBJECT -> "an object with " + fieldNames(node);
            case ARRAY -> "a list of %d".formatted(node.size());
            case STRING, NUMBER, BOOLEAN, BINARY, POJO -> text.length() <= 40 ? text : text.substring(0, 40) + "...";
        };
    }
}
