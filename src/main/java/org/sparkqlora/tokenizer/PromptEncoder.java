package org.sparkqlora.tokenizer;

import java.time.LocalDate;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.sparkqlora.data.BadRecordException;
import org.sparkqlora.data.ChatMessage;
import org.sparkqlora.data.ChatTemplate;
import org.sparkqlora.data.Prompt;
import org.sparkqlora.data.TemplateVariables;
import org.sparkqlora.input.TemplateLimits;

/**
 * The ids that a model is asked with.
 *
 * @param day that the chat template is told; null for that on which the tokenizer was opened
 * @param limits of what the chat template may use
 */
public record PromptEncoder(
        ModelTokenizer tokenizer, @Nullable LocalDate day, TemplateLimits limits) {
    public PromptEncoder(ModelTokenizer tokenizer) {
        this(tokenizer, null, TemplateLimits.DEFAULT);
    }

    /** Throws {@link BadRecordException} for a conversation where there is no chat template, and for a text without a token. */
    public int[] encode(Prompt prompt) {
        int[] ids = ids(prompt);
        if (ids.length == 0) {
            throw new BadRecordException("Cannot ask a text: expected at least 1 token, found none");
        }

        return ids;
    }

    private int[] ids(Prompt prompt) {
        if (prompt instanceof Prompt.Question question) {
            return tokenizer.chatTemplate().isPresent()
                    ? conversation(new Prompt.Turns(
                            List.of(ChatMessage.of("user", question.text())), List.of(), TemplateVariables.NONE))
                    : tokenizer.encode(question.text());
        }

        return prompt instanceof Prompt.Beginning beginning
                ? tokenizer.encode(beginning.text())
                : conversation((Prompt.Turns) prompt);
    }

    private int[] conversation(Prompt.Turns turns) {
        Optional<ChatTemplate> template = tokenizer.chatTemplate();
        if (template.isEmpty()) {
            throw new BadRecordException(
                    "Cannot encode a conversation: expected a chat template beside the tokenizer, found none. Give one with --chat-template");
        }

        ChatTemplate dated = day == null ? template.get() : template.get().on(day);
        return tokenizer.encodeWithoutSpecials(
                dated.with(turns.variables()).within(limits).renderPrompt(turns.messages(), turns.tools()));
    }
}
