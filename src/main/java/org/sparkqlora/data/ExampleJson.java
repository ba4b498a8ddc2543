package org.sparkqlora.data;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.List;
import org.sparkqlora.data.Example.Conversation;
import org.sparkqlora.data.Example.Labeled;
import org.sparkqlora.data.Example.PlainText;
import org.sparkqlora.data.Example.PromptCompletion;
import org.sparkqlora.data.Example.TokenSequence;

/** Reads a training example from one line of JSON. Fields that a format does not use are ignored. */
public final class ExampleJson {
    private static final String MESSAGES = "messages";
    private static final String PROMPT = "prompt";
    private static final String COMPLETION = "completion";
    private static final String TEXT = "text";
    private static final String INPUT_IDS = "input_ids";
    private static final String LABELS = "labels";
    private static final String ASSISTANT = "assistant";

    private ExampleJson() {}

    /** The example in {@code line}, whose fields have our names. */
    public static Example read(String line, RecordFormat format) {
        return read(line, RecordReading.of(format));
    }

    /** The example in {@code line}. */
    public static Example read(String line, RecordReading reading) {
        JsonNode record = RecordJson.parse(line, reading.columns());
        return switch (reading.kind()) {
            case SUPERVISED -> read(record, reading);
            case PREFERENCE -> AnswersJson.preference(record);
            case UNPAIRED -> AnswersJson.unpaired(record);
            case COMPARISON -> AnswersJson.comparison(record);
            case LABELED ->
                new Labeled(
                        text(record, reading),
                        new LabeledJson(reading.examples().required()).read(record));
        };
    }

    /** What is labelled: of ids the tokens, whose {@code labels} are those of the text. */
    private static Example text(JsonNode record, RecordReading reading) {
        if (actual(record, reading.format()) != RecordFormat.TOKENS) {
            return read(record, reading);
        }

        int[] ids = RecordJson.integers(record, INPUT_IDS);
        return new TokenSequence(ids, ids);
    }

    private static Example read(JsonNode record, RecordReading reading) {
        return switch (actual(record, reading.format())) {
            case MESSAGES ->
                new Conversation(
                        MessagesJson.messages(record, MESSAGES),
                        MessagesJson.tools(record),
                        0,
                        MessagesJson.variables(record));
            case SHAREGPT -> ShareGptJson.read(record);
            case ALPACA -> AlpacaJson.read(record);
            case PROMPT_COMPLETION -> readPromptCompletion(record);
            case TEXT -> new PlainText(RecordJson.text(record, TEXT));
            case TOKENS ->
                new TokenSequence(RecordJson.integers(record, INPUT_IDS), RecordJson.integers(record, LABELS));
            case AUTO -> throw new IllegalStateException("Cannot detect the format of a record as auto");
        };
    }

    /** The format that {@code line} is read as. */
    public static RecordFormat formatOf(String line, RecordReading reading) {
        return actual(RecordJson.parse(line, reading.columns()), reading.format());
    }

    /** The name of the format that {@code line} is read as, or of what its example holds. */
    public static String nameOf(String line, RecordReading reading) {
        if (reading.kind() == ExampleKind.SUPERVISED) {
            return formatOf(line, reading).optionName();
        }

        reading.read(line);
        return reading.kind().optionName();
    }

    /** A record of a text. */
    public static String ofText(String text) {
        return PlainJson.object(TEXT, text);
    }

    /**
     * The prompt in {@code line}: {@code {"messages": [...]}} or {@code {"prompt": ...}} as text or list of messages. A last turn of the
     * assistant among the messages is what is asked for, and left out.
     */
    public static Prompt readPrompt(String line) {
        JsonNode record = RecordJson.parse(line, Columns.OWN);
        if (record.has(MESSAGES)) {
            return turns(record, unanswered(MessagesJson.messages(record, MESSAGES)));
        }

        return RecordJson.field(record, PROMPT).isTextual()
                ? new Prompt.Beginning(RecordJson.text(record, PROMPT))
                : turns(record, MessagesJson.messages(record, PROMPT));
    }

    /** The text in {@code field} of the record in {@code line}; empty where there is none. */
    public static String readText(String line, String field) {
        return RecordJson.optionalText(RecordJson.parse(line, Columns.OWN), field);
    }

    private static Prompt turns(JsonNode record, List<ChatMessage> messages) {
        return new Prompt.Turns(messages, MessagesJson.tools(record), MessagesJson.variables(record));
    }

    private static List<ChatMessage> unanswered(List<ChatMessage> messages) {
        int last = messages.size() - 1;
        List<ChatMessage> asked = messages.get(last).role().equals(ASSISTANT) ? messages.subList(0, last) : messages;
        if (asked.isEmpty()) {
            throw new BadRecordException(
                    "Cannot read field messages: expected a turn to answer, found an answer alone");
        }

        return asked;
    }

    private static RecordFormat actual(JsonNode record, RecordFormat format) {
        return format == RecordFormat.AUTO ? detect(record) : format;
    }

    /** Fields that are null count as absent: in a table every row has every column. */
    private static RecordFormat detect(JsonNode record) {
        if (RecordJson.has(record, MESSAGES)) {
            return RecordFormat.MESSAGES;
        }

        if (RecordJson.has(record, ShareGptJson.CONVERSATIONS)) {
            return RecordFormat.SHAREGPT;
        }

        if (RecordJson.has(record, PROMPT) && RecordJson.has(record, COMPLETION)) {
            return RecordFormat.PROMPT_COMPLETION;
        }

        if (RecordJson.has(record, AlpacaJson.INSTRUCTION) && RecordJson.has(record, AlpacaJson.OUTPUT)) {
            return RecordFormat.ALPACA;
        }

        if (RecordJson.has(record, INPUT_IDS)) {
            return RecordFormat.TOKENS;
        }

        if (RecordJson.has(record, TEXT)) {
            return RecordFormat.TEXT;
        }

        if (record.has(PROMPT) && record.has(COMPLETION)) {
            return RecordFormat.PROMPT_COMPLETION; // one is empty, which is a better thing to say
        }

        if (record.has(AlpacaJson.INSTRUCTION) && record.has(AlpacaJson.OUTPUT)) {
            return RecordFormat.ALPACA;
        }

        throw new BadRecordException(
                "Cannot detect the format of the record: expected messages, or conversations, or prompt and completion, or"
                        + " instruction and output, or text, or input_ids and labels, found "
                        + RecordJson.fieldNames(record));
    }

    private static Example readPromptCompletion(JsonNode record) {
        JsonNode prompt = RecordJson.field(record, PROMPT);
        if (prompt.isTextual() || prompt.isNull()) {
            return new PromptCompletion(RecordJson.text(record, PROMPT), RecordJson.text(record, COMPLETION));
        }

        List<ChatMessage> asked = MessagesJson.messages(record, PROMPT);
        List<ChatMessage> whole = new ArrayList<>(asked);
        whole.addAll(MessagesJson.messages(record, COMPLETION));
        return new Conversation(whole, MessagesJson.tools(record), asked.size(), MessagesJson.variables(record));
    }

    /** Alpaca's form, {@code {"instruction": ..., "input": ..., "output": ...}}, as a conversation: a template writes it. */
    private static final class AlpacaJson {
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
}
