package org.sparkqlora.data;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.List;

/** Turns and tools in the form of OpenAI's interface. */
final class MessagesJson {
    static final String TOOLS = "tools";
    private static final String ROLE = "role";
    private static final String CONTENT = "content";
    private static final String TEXT = "text";

    private MessagesJson() {}

    static List<ChatMessage> messages(JsonNode record, String name) {
        JsonNode list = list(record, name);
        List<ChatMessage> messages = new ArrayList<>(list.size());
        for (int i = 0; i < list.size(); i++) {
            messages.add(message(list.get(i), name + "[" + i + "]"));
        }

        return messages;
    }

    /** At least one turn, of a list or of a text that is one. */
    static JsonNode list(JsonNode record, String name) {
        JsonNode value = RecordJson.field(record, name);
        boolean written = value.isTextual() && value.textValue().stripLeading().startsWith("[");
        JsonNode list = written ? RecordJson.parseText(name, value.textValue()) : value;
        if (!list.isArray() || list.isEmpty()) {
            throw new BadRecordException("Cannot read field %s: expected a list of at least 1 message, found %s"
                    .formatted(name, RecordJson.describe(list)));
        }

        return list;
    }

    static boolean isMessage(JsonNode node) {
        return node.has(ROLE);
    }

    private static ChatMessage message(JsonNode node, String place) {
        if (!node.isObject()) {
            throw new BadRecordException("Cannot read %s: expected an object with role and content, found %s"
                    .formatted(place, RecordJson.describe(node)));
        }

        JsonNode role = node.path(ROLE);
        if (!role.isTextual() || role.textValue().isBlank()) {
            throw new BadRecordException("Cannot read %s: expected a role such as user or assistant, found %s"
                    .formatted(place, RecordJson.describe(role)));
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
                "Cannot read %s.content: expected a text, found %s".formatted(place, RecordJson.describe(content)));
    }

    private static String partTexts(JsonNode parts, String place) {
        StringBuilder text = new StringBuilder();
        for (JsonNode part : parts) {
            if (!part.path(TEXT).isTextual()) {
                throw new BadRecordException("Cannot read %s.content: expected parts of type text, found %s"
                        .formatted(place, RecordJson.describe(part)));
            }

            text.append(part.path(TEXT).textValue());
        }

        return text.toString();
    }

    /** The tools that the assistant may call; empty without the field. */
    static List<Object> tools(JsonNode record) {
        JsonNode tools = record.path(TOOLS);
        if (tools.isMissingNode()
                || tools.isNull()
                || tools.isTextual() && tools.textValue().isBlank()) {
            return List.of();
        }

        JsonNode parsed = tools.isTextual() ? RecordJson.parseText(TOOLS, tools.textValue()) : tools;
        if (!parsed.isArray()) {
            throw new BadRecordException(
                    "Cannot read field tools: expected a list, found " + RecordJson.describe(parsed));
        }

        List<Object> list = new ArrayList<>(parsed.size());
        parsed.forEach(tool -> list.add(tool(tool)));
        return list;
    }

    private static Object tool(JsonNode tool) {
        if (!tool.isObject()) {
            throw new BadRecordException(
                    "Cannot read field tools: expected objects, found " + RecordJson.describe(tool));
        }

        return PlainJson.readObject(tool);
    }

    /** The variables of the template beside messages and tools; none without the field. */
    static TemplateVariables variables(JsonNode record) {
        JsonNode given = record.path(TemplateVariables.FIELD);
        if (given.isMissingNode()
                || given.isNull()
                || given.isTextual() && given.textValue().isBlank()) {
            return TemplateVariables.NONE;
        }

        JsonNode parsed = given.isTextual() ? RecordJson.parseText(TemplateVariables.FIELD, given.textValue()) : given;
        if (parsed.isObject()) {
            return new TemplateVariables(PlainJson.readObject(parsed));
        }

        throw new BadRecordException("Cannot read field %s: expected an object, found %s"
                .formatted(TemplateVariables.FIELD, RecordJson.describe(parsed)));
    }
}
