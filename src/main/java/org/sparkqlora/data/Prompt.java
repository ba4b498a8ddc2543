package org.sparkqlora.data;

import java.util.List;

/** Input for a model to answer or to continue. */
public sealed interface Prompt {
    /** A question: a user's turn where the model has a chat template, else a text to continue. */
    record Question(String text) implements Prompt {}

    /** A text to continue as it is, as training sees {@code {"prompt": "..."}}. */
    record Beginning(String text) implements Prompt {}

    /** A conversation whose next turn is the assistant's. */
    record Turns(List<ChatMessage> messages, List<Object> tools, TemplateVariables variables) implements Prompt {
        public Turns {
            messages = List.copyOf(messages);
            tools = List.copyOf(tools);
        }
    }
}
