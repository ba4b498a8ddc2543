package org.sparkqlora.tokenizer;

import java.util.List;
import java.util.Optional;
import org.sparkqlora.data.BadRecordException;
import org.sparkqlora.data.ChatMessage;
import org.sparkqlora.data.ChatTemplate;
import org.sparkqlora.data.Prompt;

/** The ids that a model is asked with. */
public record PromptEncoder(ModelTokenizer tokenizer) {
    /** Throws {@link BadRecordException} for a conversation where there is no chat template. */
    public int[] encode(Prompt prompt) {
        if (prompt instanceof Prompt.Question question) {
            return tokenizer.chatTemplate().isPresent()
                    ? conversation(new Prompt.Turns(List.of(ChatMessage.of("user", question.text())), List.of()))
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

        return tokenizer.encodeWithoutSpecials(template.get().renderPrompt(turns.messages(), turns.tools()));
    }
}
