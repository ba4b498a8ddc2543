package org.sparkqlora.tokenizer;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.sparkqlora.data.BadRecordException;
import org.sparkqlora.data.ChatMessage;
import org.sparkqlora.data.ChatTemplate;
import org.sparkqlora.data.Example.Conversation;
import org.sparkqlora.data.jinja.Rendering;
import org.sparkqlora.data.jinja.Rendering.Span;

/**
 * Where the assistant's turns lie in a rendered conversation.
 *
 * <p>A template that marks them with {@code {% generation %}} is believed; those that it marks in the prompt alone are the
 * prompt's. Else a turn goes from the end of the conversation
 * before it, rendered with the generation prompt, to the end of the conversation up to it, where both are beginnings of the
 * whole. Where a template rewrites earlier turns, so that they are not, the turn is where the whole changes when the turn's
 * text is replaced.
 */
final class AnswerSpans {
    /** From Unicode's private use area: no template treats it as white space, no text begins or ends with it. */
    private static final String REPLACEMENT = "\uE0F0";

    private static final String ASSISTANT = "assistant";

    private final ChatTemplate template;
    private final Conversation conversation;
    private final String whole;

    private AnswerSpans(ChatTemplate template, Conversation conversation, String whole) {
        this.template = template;
        this.conversation = conversation;
        this.whole = whole;
    }

    /** The conversation's text with the spans that are to be trained. */
    static Rendering find(ChatTemplate template, Conversation conversation) {
        Rendering rendering = template.renderMarked(conversation.messages(), conversation.tools());
        AnswerSpans spans = new AnswerSpans(template, conversation, rendering.text());
        return new Rendering(
                rendering.text(),
                template.marksGeneration() ? spans.afterPrompt(rendering.generated()) : spans.findAll());
    }

    private List<Span> afterPrompt(List<Span> generated) {
        if (conversation.promptMessages() == 0) {
            return generated;
        }

        int before = template.renderMarked(before(conversation.promptMessages()), conversation.tools())
                .generated()
                .size();
        return generated.subList(Math.min(before, generated.size()), generated.size());
    }

    private List<Span> findAll() {
        List<Span> spans = new ArrayList<>();
        for (int i = conversation.promptMessages(); i < conversation.messages().size(); i++) {
            if (conversation.messages().get(i).role().equals(ASSISTANT)) {
                spans.add(find(i));
            }
        }

        return spans;
    }

    private Span find(int turn) {
        String before = promptBefore(turn);
        String through = turn + 1 == conversation.messages().size() ? whole : render(before(turn + 1));
        return whole.startsWith(before) && whole.startsWith(through) && through.length() >= before.length()
                ? new Span(before.length(), through.length())
                : findByReplacement(turn);
    }

    private Span findByReplacement(int turn) {
        String changed = render(replaced(turn));
        int from = commonPrefix(whole, changed);
        int to = whole.length() - commonSuffix(whole, changed, from);
        boolean found = changed.startsWith(REPLACEMENT, from)
                && changed.length() - REPLACEMENT.length() - from == whole.length() - to;
        if (!found) {
            throw new BadRecordException(
                    ("Cannot find the assistant's turn messages[%d] in the rendered conversation: expected a template that writes"
                                    + " the turns one after the other, found one that changes earlier turns. Mark the turns in"
                                    + " the template with {%% generation %%} ... {%% endgeneration %%}")
                            .formatted(turn));
        }

        return new Span(from, to);
    }

    private List<ChatMessage> replaced(int turn) {
        List<ChatMessage> messages = new ArrayList<>(conversation.messages());
        ChatMessage answer = messages.get(turn);
        Map<String, Object> fields = new LinkedHashMap<>(answer.fields());
        fields.put("content", REPLACEMENT);
        messages.set(turn, new ChatMessage(answer.role(), REPLACEMENT, fields));
        return messages;
    }

    private List<ChatMessage> before(int turn) {
        return conversation.messages().subList(0, turn);
    }

    private String promptBefore(int turn) {
        return template.renderPrompt(before(turn), conversation.tools());
    }

    private String render(List<ChatMessage> messages) {
        return template.renderConversation(messages, conversation.tools());
    }

    private static int commonPrefix(String left, String right) {
        int length = 0;
        while (length < Math.min(left.length(), right.length()) && left.charAt(length) == right.charAt(length)) {
            length++;
        }

        return length;
    }

    private static int commonSuffix(String left, String right, int prefix) {
        int limit = Math.min(left.length(), right.length()) - prefix;
        int length = 0;
        while (length < limit && left.charAt(left.length() - 1 - length) == right.charAt(right.length() - 1 - length)) {
            length++;
        }

        return length;
    }
}
