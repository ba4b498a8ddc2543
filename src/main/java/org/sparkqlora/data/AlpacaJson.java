package org.sparkqlora.data;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.List;
import org.sparkqlora.data.Example.Conversation;

/** Alpaca's form, {@code {"instruction": ..., "input": ..., "output": ...}}, as a conversation: a template writes it. */
final class AlpacaJson {
    static final String INSTRUCTION = "instruction";
    static final String OUTPUT = "output";
    private static final String INPUT = "input";
    private static final String SYSTEM = "system";
    private static final String HISTORY = "history";
    private static final String USER = "user";
    private static final String ASSISTANT = "assistant";

    private AlpacaJson() {}

    static Conversation read(JsonNode record) {
        List<ChatMessage> messages = new ArrayList<>();
        String system = RecordJson.optionalText(record, SYSTEM);
        if (!system.isBlank()) {
            messages.add(ChatMessage.of(SYSTEM, system));
        }

        for (JsonNode turn : record.path(HISTORY)) {
            addTurn(turn, messages);
        }

        messages.add(ChatMessage.of(USER, question(record)));
        messages.add(ChatMessage.of(ASSISTANT, RecordJson.text(record, OUTPUT)));
        return new Conversation(messages, MessagesJson.tools(record), 0, MessagesJson.variables(record));
    }

    private static String question(JsonNode record) {
        String instruction = RecordJson.text(record, INSTRUCTION);
        String input = RecordJson.optionalText(record, INPUT);
        return input.isBlank() ? instruction : instruction + "\n" + input;
    }

    private static void addTurn(JsonNode turn, List<ChatMessage> messages) {
        if (turn.size() != 2 || !turn.path(0).isTextual() || !turn.path(1).isTextual()) {
            throw new BadRecordException("Cannot read field history: expected pairs of question and answer, found "
                    + RecordJson.describe(turn));
        }

        messages.add(ChatMessage.of(USER, turn.path(0).textValue()));
        messages.add(ChatMessage.of(ASSISTANT, turn.path(1).textValue()));
    }
}
