package org.sparkqlora.data;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * One turn of a conversation.
 *
 * @param role who speaks: system, user, assistant, tool, ...
 * @param content the text; empty when the message has none, as a tool call may
 * @param fields every field of the message as plain Java values (String, Boolean, Long, Double, List, Map, null), for templates
 */
public record ChatMessage(String role, String content, Map<String, Object> fields) {
    public ChatMessage {
        fields = Collections.unmodifiableMap(new LinkedHashMap<>(fields));
    }

    /** A message of role and text alone. */
    public static ChatMessage of(String role, String content) {
        Map<String, Object> fields = new LinkedHashMap<>();
        fields.put("role", role);
        fields.put("content", content);
        return new ChatMessage(role, content, fields);
    }
}
