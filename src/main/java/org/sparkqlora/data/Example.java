package org.sparkqlora.data;

import java.util.Arrays;
import java.util.List;

/** A training example as read from a record, before any tokenizer. */
public sealed interface Example {
    /**
     * A conversation, trained on the turns of the assistant.
     *
     * @param tools descriptions of the functions that the assistant may call, as plain Java values; often empty
     * @param promptMessages how many messages at the start are never trained, even those of the assistant
     * @param variables what the template gets beside them, as plain Java values
     */
    record Conversation(List<ChatMessage> messages, List<Object> tools, int promptMessages, TemplateVariables variables)
            implements Example {
        public Conversation {
            if (promptMessages < 0 || promptMessages >= messages.size()) {
                throw new BadRecordException("Cannot train on a conversation of %d messages after a prompt of %d"
                        .formatted(messages.size(), promptMessages));
            }

            messages = List.copyOf(messages);
            tools = List.copyOf(tools);
        }

        /** A conversation without tools, trained on every turn of the assistant. */
        public static Conversation of(ChatMessage... messages) {
            return new Conversation(List.of(messages), List.of(), 0, TemplateVariables.NONE);
        }

        /** This conversation, trained on the messages after the first {@code count}. */
        public Conversation afterPrompt(int count) {
            return new Conversation(messages, tools, count, variables);
        }
    }

    /** A prompt, which is not trained, and its completion, which is. */
    record PromptCompletion(String prompt, String completion) implements Example {}

    /** A text, trained as a whole. */
    record PlainText(String text) implements Example {}

    /**
     * Token ids made elsewhere.
     *
     * @param labels as in transformers: the id where a token is trained, {@value #NOT_TRAINED} where not
     */
    record TokenSequence(int[] ids, int[] labels) implements Example {
        /** The label of a token that is no prediction target. */
        public static final int NOT_TRAINED = -100;

        public TokenSequence {
            if (ids.length == 0) {
                throw new BadRecordException("Cannot read tokens: expected at least 1 id in input_ids, found none");
            }

            if (ids.length != labels.length) {
                throw new BadRecordException("Cannot read tokens: expected as many labels as input_ids, found %d and %d"
                        .formatted(labels.length, ids.length));
            }

            ids = ids.clone();
            labels = labels.clone();
        }

        @Override
        public boolean equals(Object other) {
            return other instanceof TokenSequence that
                    && Arrays.equals(ids, that.ids)
                    && Arrays.equals(labels, that.labels);
        }

        @Override
        public int hashCode() {
            return 31 * Arrays.hashCode(ids) + Arrays.hashCode(labels);
        }
    }

    /**
     * A prompt with a chosen and a rejected answer, each as an example of the same kind that trains the answer.
     */
    record Preference(Example chosen, Example rejected) implements Example {}

    /**
     * A prompt with a better and a worse answer, which are scored.
     *
     * @param margin by which the better one's score should be above the other's
     */
    record Comparison(Preference answers, double margin) implements Example {}

    /**
     * A text that is scored.
     *
     * @param labels as {@link Labels} reads them
     */
    record Labeled(Example text, double[] labels) implements Example {
        public Labeled {
            labels = labels.clone();
        }

        @Override
        public boolean equals(Object other) {
            return other instanceof Labeled that && text.equals(that.text) && Arrays.equals(labels, that.labels);
        }

        @Override
        public int hashCode() {
            return 31 * text.hashCode() + Arrays.hashCode(labels);
        }
    }

    /** A prompt with an answer, as an example that trains the answer, and whether it is a desirable one. */
    record Unpaired(Example answer, boolean desirable) implements Example {}
}
