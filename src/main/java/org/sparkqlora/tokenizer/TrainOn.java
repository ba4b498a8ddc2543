package org.sparkqlora.tokenizer;

import org.sparkqlora.data.ChatMessage;
import org.sparkqlora.data.Example.Conversation;
import org.sparkqlora.input.OptionChoice;

/** Which tokens of a conversation, or of a prompt and its completion, are prediction targets. A plain text is trained whole. */
public enum TrainOn implements OptionChoice {
    /** The assistant's turns, or the completion: {@code assistant_only_loss} and {@code completion_only_loss} of TRL. */
    ASSISTANT,
    /** Every token. */
    ALL,
    /** The assistant's last turn, or the completion. */
    LAST_TURN;

    private static final String ROLE = "assistant";

    /** The choice called {@code name} on the command line. */
    public static TrainOn parse(String name) {
        return OptionChoice.parse(values(), name, "Cannot train on '%s': expected assistant, all or last-turn");
    }

    @Override
    public String optionName() {
        return OptionChoice.super.optionName().replace('_', '-');
    }

    /** The conversation with all that is not trained in its prompt, as far as whole messages go. */
    Conversation narrow(Conversation conversation) {
        int last = lastAnswer(conversation);
        return this == LAST_TURN && last > conversation.promptMessages()
                ? conversation.afterPrompt(last)
                : conversation;
    }

    private static int lastAnswer(Conversation conversation) {
        for (int i = conversation.messages().size() - 1; i >= 0; i--) {
            ChatMessage message = conversation.messages().get(i);
            if (message.role().equals(ROLE)) {
                return i;
            }
        }

        return -1;
    }
}
