package org.sparkqlora.data;

import java.time.Clock;
import java.time.LocalDateTime;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.sparkqlora.data.jinja.Rendering;
import org.sparkqlora.data.jinja.Template;
import org.sparkqlora.data.jinja.TemplateException;
import org.sparkqlora.data.jinja.TemplateFunction;

/** How a model wants conversations written, as {@code apply_chat_template} of transformers does it. */
public final class ChatTemplate {
    private final Template template;
    private final Map<String, @Nullable Object> constants;

    /** A template whose {@code constants} are the special tokens: {@code bos_token}, {@code eos_token}, ... */
    public ChatTemplate(Template template, Map<String, String> constants) {
        this(template, constants, Clock.systemDefaultZone());
    }

    /** As above, with the clock that {@code strftime_now} reads. */
    public ChatTemplate(Template template, Map<String, String> constants, Clock clock) {
        TemplateFunction now = (positional, named) -> DateFormat.format(LocalDateTime.now(clock), positional);
        Map<String, @Nullable Object> all = new LinkedHashMap<>(constants);
        all.put("strftime_now", now);
        this.template = template;
        this.constants = Collections.unmodifiableMap(all);
    }

    /** Whether the template itself says which parts the assistant writes. */
    public boolean marksGeneration() {
        return template.marksGeneration();
    }

    /** A whole conversation. */
    public String renderConversation(List<ChatMessage> messages, List<Object> tools) {
        return renderMarked(messages, tools).text();
    }

    /** A conversation up to where the assistant goes on. */
    public String renderPrompt(List<ChatMessage> messages, List<Object> tools) {
        return render(messages, tools, true).text();
    }

    /** A whole conversation, with the parts that the template marks as the assistant's. */
    public Rendering renderMarked(List<ChatMessage> messages, List<Object> tools) {
        return render(messages, tools, false);
    }

    private Rendering render(List<ChatMessage> messages, List<Object> tools, Object addGenerationPrompt) {
        Map<String, @Nullable Object> variables = new LinkedHashMap<>(constants);
        variables.put("messages", messages.stream().map(TemplateMessage::of).toList());
        variables.put("tools", tools.isEmpty() ? null : tools);
        variables.put("documents", null);
        variables.put("add_generation_prompt", addGenerationPrompt);
        try {
            return template.renderMarked(variables);
        } catch (TemplateException e) {
            throw new BadRecordException("Cannot write the conversation with the chat template: " + e.getMessage(), e);
        }
    }
}
