package org.sparkqlora.data;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.sparkqlora.data.Example.Comparison;
import org.sparkqlora.data.Example.Conversation;
import org.sparkqlora.data.Example.Preference;
import org.sparkqlora.data.Example.PromptCompletion;
import org.sparkqlora.data.Example.TokenSequence;
import org.sparkqlora.data.Example.Unpaired;

/**
 * Reads prompts with answers, in the shapes of TRL: {@code prompt, chosen, rejected} or {@code chosen, rejected} whose common beginning is
 * the prompt; {@code prompt, completion, label}; those that are compared with a {@code margin} or without. Texts, lists of messages, or ids with {@code _ids} behind the names.
 */
final class AnswersJson {
    private static final String PROMPT = "prompt";
    private static final String CHOSEN = "chosen";
    private static final String REJECTED = "rejected";
    private static final String COMPLETION = "completion";
    private static final String LABEL = "label";
    private static final String MARGIN = "margin";
    private static final String IDS = "_ids";
    private static final String ASSISTANT = "assistant";

    private AnswersJson() {}

    static Preference preference(JsonNode record) {
        if (RecordJson.has(record, CHOSEN + IDS)) {
            return new Preference(tokens(record, CHOSEN), tokens(record, REJECTED));
        }

        if (!RecordJson.has(record, CHOSEN) || !RecordJson.has(record, REJECTED)) {
            throw new BadRecordException(
                    "Cannot read a preference: expected prompt, chosen and rejected, or chosen and rejected, or prompt_ids, chosen_ids and rejected_ids, found "
                            + RecordJson.fieldNames(record));
        }

        if (isText(record, CHOSEN) && isText(record, REJECTED)) {
            return texts(record);
        }

        return conversations(record);
    }

    static Comparison comparison(JsonNode record) {
        return new Comparison(preference(record), RecordJson.has(record, MARGIN) ? margin(record) : 0);
    }

    private static double margin(JsonNode record) {
        JsonNode margin = RecordJson.field(record, MARGIN);
        if (!margin.isNumber()) {
            throw new BadRecordException(
                    "Cannot read field margin: expected a number, found " + RecordJson.describe(margin));
        }

        return margin.doubleValue();
    }

    static Unpaired unpaired(JsonNode record) {
        boolean desirable = label(record);
        if (RecordJson.has(record, COMPLETION + IDS)) {
            return new Unpaired(tokens(record, COMPLETION), desirable);
        }

        if (isText(record, COMPLETION)) {
            return new Unpaired(
                    new PromptCompletion(RecordJson.text(record, PROMPT), RecordJson.text(record, COMPLETION)),
                    desirable);
        }

        return new Unpaired(conversation(record, asked(record), MessagesJson.messages(record, COMPLETION)), desirable);
    }

    private static boolean label(JsonNode record) {
        JsonNode label = RecordJson.field(record, LABEL);
        if (label.isBoolean()) {
            return label.booleanValue();
        }

        if (label.isIntegralNumber() && (label.intValue() == 0 || label.intValue() == 1)) {
            return label.intValue() == 1;
        }

        throw new BadRecordException(
                "Cannot read field label: expected true or false, found " + RecordJson.describe(label));
    }

    private static boolean isText(JsonNode record, String name) {
        JsonNode value = RecordJson.field(record, name);
        return value.isTextual() && !value.textValue().stripLeading().startsWith("[{");
    }

    /** Ids of the prompt and of the answer called {@code name}, which alone is trained. */
    private static TokenSequence tokens(JsonNode record, String name) {
        int[] prompt = RecordJson.integers(record, PROMPT + IDS);
        int[] answer = RecordJson.integers(record, name + IDS);
        if (prompt.length == 0) {
            throw new BadRecordException(
                    "Cannot read field prompt_ids: expected at least 1 id, by which the answer's first is predicted, found none");
        }

        if (answer.length == 0) {
            throw new BadRecordException(
                    "Cannot read field %s: expected at least 1 id, found none".formatted(name + IDS));
        }

        int[] ids = Arrays.copyOf(prompt, prompt.length + answer.length);
        System.arraycopy(answer, 0, ids, prompt.length, answer.length);
        int[] labels = ids.clone();
        Arrays.fill(labels, 0, prompt.length, TokenSequence.NOT_TRAINED);
        return new TokenSequence(ids, labels);
    }

    private static Preference texts(JsonNode record) {
        String chosen = RecordJson.text(record, CHOSEN);
        String rejected = RecordJson.text(record, REJECTED);
        if (RecordJson.has(record, PROMPT)) {
            String prompt = RecordJson.text(record, PROMPT);
            return new Preference(new PromptCompletion(prompt, chosen), new PromptCompletion(prompt, rejected));
        }

        int common = commonBeginning(chosen, rejected);
        String prompt = chosen.substring(0, common);
        return new Preference(
                new PromptCompletion(prompt, chosen.substring(common)),
                new PromptCompletion(prompt, rejected.substring(common)));
    }

    /** Chars of the common beginning, without a space that would be the last of them, as the answers then begin with it. */
    private static int commonBeginning(String a, String b) {
        int common = 0;
        while (common < Math.min(a.length(), b.length()) && a.charAt(common) == b.charAt(common)) {
            common++;
        }

        return common > 0 && a.charAt(common - 1) == ' ' ? common - 1 : common;
    }

    private static Preference conversations(JsonNode record) {
        List<ChatMessage> chosen = MessagesJson.messages(record, CHOSEN);
        List<ChatMessage> rejected = MessagesJson.messages(record, REJECTED);
        List<ChatMessage> prompt = new ArrayList<>();
        if (RecordJson.has(record, PROMPT)) {
            prompt.addAll(asked(record));
        }

        // messages that both begin with are the prompt, or its end; UltraFeedback repeats a prompt that is a text
        int common = 0;
        while (common < Math.min(chosen.size(), rejected.size())
                && chosen.get(common).equals(rejected.get(common))) {
            common++;
        }

        boolean repeated = common > 0 && !chosen.get(common - 1).role().equals(ASSISTANT);
        List<ChatMessage> begin = repeated ? chosen.subList(0, common) : prompt;
        int from = repeated ? common : 0;
        return new Preference(
                conversation(record, begin, chosen.subList(from, chosen.size())),
                conversation(record, begin, rejected.subList(from, rejected.size())));
    }

    /** The prompt as messages, where it may be one text. */
    private static List<ChatMessage> asked(JsonNode record) {
        return isText(record, PROMPT)
                ? List.of(ChatMessage.of("user", RecordJson.text(record, PROMPT)))
                : MessagesJson.messages(record, PROMPT);
    }

    private static Conversation conversation(JsonNode record, List<ChatMessage> prompt, List<ChatMessage> answer) {
        if (prompt.isEmpty() || answer.isEmpty()) {
            throw new BadRecordException(
                    "Cannot read an answer: expected a prompt of at least 1 message and an answer after it, found %d and %d"
                            .formatted(prompt.size(), answer.size()));
        }

        List<ChatMessage> whole = new ArrayList<>(prompt);
        whole.addAll(answer);
        return new Conversation(whole, MessagesJson.tools(record), prompt.size(), MessagesJson.variables(record));
    }
}
