package org.sparkqlora.tokenizer;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.sparkqlora.data.BadRecordException;
import org.sparkqlora.data.ChatMessage;
import org.sparkqlora.data.ChatTemplate;
import org.sparkqlora.data.Example.Conversation;
import org.sparkqlora.data.jinja.Rendering;
import org.sparkqlora.data.jinja.Rendering.Span;

/**
 * The spans of the assistant's turns in a rendered conversation.
 *
 * <p>A template that marks them with {@code {% generation %}} is believed; those that it marks in the prompt alone are the
 * prompt's. Else a turn goes from the end of the conversation
 * before it, rendered with the generation prompt, to the end of the conversation up to it, where both are beginnings of the
 * whole. Where a template rewrites earlier turns, so that they are not, the turn is where the whole changes when the turn's
 * text is replaced.
 *
 * <p>That takes renderings for each turn. Of a long conversation a few turns are found so; where the template's passes over the
 * messages wrote these turns, they wrote the others too.
 */
final class AnswerSpans {
    /** From Unicode's private use area: no template treats it as white space, no text begins or ends with it. */
    private static final String REPLACEMENT = "\uE0F0";

    private static final String ASSISTANT = "assistant";

    /** Turns of a conversation that is not long. */
    private static final int ONE_BY_ONE = 64;

    /** About so many turns of a long one are found by themselves. */
    private static final int CHECKED = 8;

    private final ChatTemplate template;
    private final Conversation conversation;
    private final String whole;
    private final List<Span> passes;
    private long searched;

    private AnswerSpans(ChatTemplate template, Conversation conversation, Rendering rendering) {
        this.template = template;
        this.conversation = conversation;
        this.whole = rendering.text();
        this.passes = rendering.passes();
    }

    /** The conversation's text with the spans that are to be trained. */
    static Rendering find(ChatTemplate template, Conversation conversation) {
        Rendering rendering = template.renderMarked(conversation.messages(), conversation.tools());
        AnswerSpans spans = new AnswerSpans(template, conversation, rendering);
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
        List<Integer> turns = IntStream.range(
                        conversation.promptMessages(), conversation.messages().size())
                .filter(i -> conversation.messages().get(i).role().equals(ASSISTANT))
                .boxed()
                .toList();
        List<Span> passed = turns.size() <= ONE_BY_ONE ? List.of() : findByPasses(turns);
        return passed.isEmpty() ? turns.stream().map(this::find).toList() : passed;
    }

    /** The turns where the template's passes over the messages wrote them; nothing where some are elsewhere. */
    private List<Span> findByPasses(List<Integer> turns) {
        int first = turns.get(turns.size() > 1 ? 1 : 0); // the one before has a pass in most templates
        String prompt = promptBefore(first);
        Span before = pass(first - 1);
        if (before.equals(Span.NONE) || !whole.startsWith(prompt) || prompt.length() < before.to()) {
            return List.of();
        }

        String opening = prompt.substring(before.to());
        List<Span> spans = turns.stream().map(turn -> findByPass(turn, opening)).toList();
        int step = Math.max(1, turns.size() / CHECKED);
        boolean equal = !spans.contains(Span.NONE);
        for (int i = 0; i < turns.size() && equal; i += step) {
            equal = spans.get(i).equals(find(turns.get(i)));
        }

        return equal && spans.get(turns.size() - 1).equals(find(turns.get(turns.size() - 1))) ? spans : List.of();
    }

    private Span findByPass(int turn, String opening) {
        Span before = pass(turn - 1);
        Span own = pass(turn);
        if (before.equals(Span.NONE) || own.equals(Span.NONE)) {
            return find(turn);
        }

        int from = before.to() + opening.length();
        return whole.startsWith(opening, before.to()) && from <= own.to() ? new Span(from, own.to()) : Span.NONE;
    }

    private Span pass(int message) {
        return message < 0 || message >= passes.size() ? Span.NONE : passes.get(message);
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
        return searched(template.renderPrompt(before(turn), conversation.tools()));
    }

    private String render(List<ChatMessage> messages) {
        return searched(template.renderConversation(messages, conversation.tools()));
    }

    private String searched(String rendering) {
        searched += rendering.length();
        if (searched > template.limits().searchChars()) {
            throw new BadRecordException(
                    ("Cannot find the assistant's turns in a conversation of %d messages: expected to find them within %d chars of"
                                    + " renderings, found a chat template that needs more. Mark the turns in the template with"
                                    + " {%% generation %%} ... {%% endgeneration %%}, cut the conversation into shorter ones, or allow more with --template-budget")
                            .formatted(
                                    conversation.messages().size(),
                                    template.limits().searchChars()));
        }

        return rendering;
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
