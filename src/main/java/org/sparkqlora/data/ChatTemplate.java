package org.sparkqlora.data;

import java.time.LocalDate;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.sparkqlora.data.jinja.Rendering;
import org.sparkqlora.data.jinja.Template;
import org.sparkqlora.data.jinja.TemplateException;
import org.sparkqlora.data.jinja.TemplateFunction;
import org.sparkqlora.input.TemplateLimits;

/** The chat template of a model, applied as {@code apply_chat_template} of transformers does. */
public final class ChatTemplate {
    /** The function by which a template asks for the date. */
    private static final String NOW = "strftime_now";

    private final Template template;
    private final Map<String, @Nullable Object> constants;

    /** A template whose {@code constants} are the special tokens: {@code bos_token}, {@code eos_token}, ... */
    public static ChatTemplate of(Template template, Map<String, String> constants) {
        return new ChatTemplate(template, new LinkedHashMap<>(constants)).on(LocalDate.now());
    }

    private ChatTemplate(Template template, Map<String, @Nullable Object> constants) {
        this.template = template;
        this.constants = Collections.unmodifiableMap(constants);
    }

    /** Whether what the template of {@code source} writes may depend on the day. */
    public static boolean asksForTheDay(String source) {
        return source.contains(NOW);
    }

    /** This template on a fixed day: it begins at midnight, so that all records of a day are written alike. */
    public ChatTemplate on(LocalDate day) {
        TemplateFunction now = (positional, named) -> DateFormat.format(day.atStartOfDay(), positional);
        Map<String, @Nullable Object> all = new LinkedHashMap<>(constants);
        all.put(NOW, now);
        return new ChatTemplate(template, all);
    }

    /** This template with other limits on what it uses. */
    public ChatTemplate within(TemplateLimits limits) {
        return new ChatTemplate(template.within(limits), constants);
    }

    /** The limits of a rendering. */
    public TemplateLimits limits() {
        return template.limits();
    }

    /** This template with variables of a record, which override special tokens of the same name. */
    public ChatTemplate with(TemplateVariables variables) {
        if (variables.values().isEmpty()) {
            return this;
        }

        Map<String, @Nullable Object> all = new LinkedHashMap<>(constants);
        all.putAll(variables.values());
        return new ChatTemplate(template, all);
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
        Map<String, @Nullable Object> variables = new LinkedHashMap<>();
        variables.put("documents", null);
        variables.putAll(constants);
        variables.put("messages", messages.stream().map(TemplateMessage::of).toList());
        variables.put("tools", tools.isEmpty() ? null : tools);
        variables.put("add_generation_prompt", addGenerationPrompt);
        try {
            return template.renderMarked(variables);
        } catch (TemplateException e) {
            throw new BadRecordException("Cannot write the conversation with the chat template: " + e.getMessage(), e);
        }
    }

    /** A message as a template sees it, after what {@code apply_chat_template} of transformers does to it. */
    private static final class TemplateMessage {
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
}
