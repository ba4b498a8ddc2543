package org.sparkqlora.data;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** A message as a template sees it, after what {@code apply_chat_template} of transformers does to it. */
final class TemplateMessage {
    private static final String REASONING_CONTENT = "reasoning_content";
    private static final String THINKING = "thinking";

    /** Names of what was thought before the answer, the one that most templates read first. */
    private static final List<String> REASONING = List.of(REASONING_CONTENT, THINKING, "reasoning");

    private TemplateMessage() {}

    /** The fields that are not null, which templates would write as None, with reasoning under the names that templates read. */
    static Map<String, Object> of(ChatMessage message) {
        Map<String, Object> fields = new LinkedHashMap<>();
        message.fields().forEach((name, value) -> putUnlessNull(fields, name, value));
        Object reasoning = REASONING.stream()
                .filter(fields::containsKey)
                .findFirst()
                .map(fields::get)
                .orElse(null);
        if (reasoning != null) {
            fields.putIfAbsent(THINKING, reasoning);
            fields.put(REASONING_CONTENT, reasoning);
        }

        return fields;
    }

    private static void putUnlessNull(Map<String, Object> fields, String name, @Nullable Object value) {
        if (value != null) {
            fields.put(name, value);
        }
    }
}
