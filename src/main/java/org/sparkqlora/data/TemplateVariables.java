package org.sparkqlora.data;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * Variables that a record passes to its chat template beside messages and tools, such as {@code enable_thinking}: the field
 * {@value #FIELD}, as TRL passes it to {@code apply_chat_template} of transformers.
 *
 * @param values by name, as plain Java values; they come before special tokens of the same name
 */
public record TemplateVariables(Map<String, @Nullable Object> values) {
    static final String FIELD = "chat_template_kwargs";

    /** Parameters of {@code apply_chat_template} that are settled by how the record is trained on. */
    private static final Set<String> SETTLED = Set.of(
            "conversation",
            "messages",
            "tools",
            "chat_template",
            "add_generation_prompt",
            "continue_final_message",
            "tokenize",
            "padding",
            "truncation",
            "max_length",
            "return_tensors",
            "return_dict",
            "return_assistant_tokens_mask",
            "tokenizer_kwargs");

    public static final TemplateVariables NONE = new TemplateVariables(Map.of());

    public TemplateVariables {
        Set<String> settled = new TreeSet<>(values.keySet());
        settled.retainAll(SETTLED);
        if (!settled.isEmpty()) {
            throw new BadRecordException(
                    "Cannot read field %s: expected variables of the chat template, found %s, which a record cannot set"
                            .formatted(FIELD, String.join(", ", settled)));
        }

        values = Collections.unmodifiableMap(new LinkedHashMap<>(values));
    }
}
