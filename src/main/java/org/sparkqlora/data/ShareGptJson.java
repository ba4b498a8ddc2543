package org.sparkqlora.data;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.sparkqlora.data.Example.Conversation;

/** ShareGPT's form: {@code {"conversations": [{"from": "human", "value": ...}, {"from": "gpt", "value": ...}]}}. */
final class ShareGptJson {
    static final String CONVERSATIONS = "conversations";
    private static final String FROM = "from";
    private static final String VALUE = "value";
    private static final String SYSTEM = "system";
    private static final String CALL = "function_call";

    private static final Map<String, String> ROLES = roles();

    private ShareGptJson() {}

    static Conversation read(JsonNode record) {
        JsonNode list = MessagesJson.list(record, CONVERSATIONS);
        List<ChatMessage> messages = new ArrayList<>();
        String system = RecordJson.optionalText(record, SYSTEM);
        if (!system.isBlank()) {
            messages.add(ChatMessage.of(SYSTEM, system));
        }

        messages.addAll(
                MessagesJson.isMessage(list.get(0)) ? MessagesJson.messages(record, CONVERSATIONS) : turns(list));
        return new Conversation(messages, MessagesJson.tools(record), 0, MessagesJson.variables(record));
    }

    private static List<ChatMessage> turns(JsonNode list) {
        List<ChatMessage> turns = new ArrayList<>();
        for (int i = 0; i < list.size(); i++) {
            turns.add(turn(list.get(i), String.format(Locale.ROOT, "%s[%d]", CONVERSATIONS, i)));
        }

        return turns;
    }

    private static ChatMessage turn(JsonNode node, String place) {
        if (!node.path(FROM).isTextual() || !node.path(VALUE).isTextual()) {
            throw new BadRecordException("Cannot read %s: expected an object with from and value, found %s"
                    .formatted(place, RecordJson.describe(node)));
        }

        String from = node.path(FROM).textValue();
        String value = node.path(VALUE).textValue();
        if (from.equals(CALL)) {
            return call(RecordJson.parseText(place, value));
        }

        String role = ROLES.get(from.toLowerCase(Locale.ROOT));
        if (role == null) {
            throw new BadRecordException("Cannot read %s: expected a speaker among %s, found %s"
                    .formatted(place, ROLES.keySet(), RecordJson.describe(node.path(FROM))));
        }

        return ChatMessage.of(role, value);
    }

    /** A call, or several, of name and arguments. */
    private static ChatMessage call(JsonNode calls) {
        List<@Nullable Object> functions = new ArrayList<>();
        for (JsonNode call : calls.isArray() ? calls : List.of(calls)) {
            functions.add(Map.of("type", "function", "function", PlainJson.readObject(call)));
        }

        Map<String, Object> fields = new LinkedHashMap<>();
        fields.put("role", "assistant");
        fields.put("content", "");
        fields.put("tool_calls", functions);
        return new ChatMessage("assistant", "", fields);
    }

    private static Map<String, String> roles() {
        Map<String, String> roles = new LinkedHashMap<>();
        roles.put("human", "user");
        roles.put("user", "user");
        roles.put("gpt", "assistant");
        roles.put("chatgpt", "assistant");
        roles.put("bing", "assistant");
        roles.put("bard", "assistant");
        roles.put("assistant", "assistant");
        roles.put("model", "assistant");
        roles.put(SYSTEM, SYSTEM);
        roles.put("tool", "tool");
        roles.put("observation", "tool");
        roles.put("function_response", "tool");
        return roles;
    }
}
