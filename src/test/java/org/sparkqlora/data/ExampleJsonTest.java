package org.sparkqlora.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.math.BigInteger;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.sparkqlora.data.Example.Conversation;
import org.sparkqlora.data.Example.PlainText;
import org.sparkqlora.data.Example.PromptCompletion;
import org.sparkqlora.data.Example.TokenSequence;

class ExampleJsonTest {
    @Test
    void readsMessagesWithAllTheirFields() {
        Example example = read(
                "{'messages': [{'role': 'user', 'content': 'hi', 'n': 1, 'x': 1.5, 'b': true, 'l': [null], 'big': 18446744073709551616}],"
                        + " 'tools': [{'name': 'f'}]}");

        Conversation conversation = (Conversation) example;
        ChatMessage message = conversation.messages().get(0);
        assertThat(message.role()).isEqualTo("user");
        assertThat(message.content()).isEqualTo("hi");
        assertThat(message.fields())
                .containsEntry("n", 1L)
                .containsEntry("x", 1.5)
                .containsEntry("b", true)
                .containsEntry("l", Arrays.asList((Object) null))
                .containsEntry("big", BigInteger.TWO.pow(64));
        assertThat(conversation.tools()).containsExactly(Map.of("name", "f"));
        assertThat(conversation.promptMessages()).isZero();
    }

    @Test
    void readsToolsThatAreWrittenAsAText() {
        Example example = read("{'messages': [{'role': 'user', 'content': 'hi'}], 'tools': '[{}]'}");

        assertThat(((Conversation) example).tools()).containsExactly(Map.of());
    }

    @Test
    void readsContentInParts() {
        Example example = read(
                "{'messages': [{'role': 'user', 'content': [{'type': 'text', 'text': 'a'}, {'type': 'text', 'text': 'b'}]}]}");

        assertThat(((Conversation) example).messages().get(0).content()).isEqualTo("ab");
    }

    @Test
    void readsAToolCallWithoutContent() {
        Example example = read("{'messages': [{'role': 'assistant', 'content': null, 'tool_calls': []}]}");

        assertThat(((Conversation) example).messages().get(0).content()).isEmpty();
    }

    @Test
    void readsPromptAndCompletion() {
        assertThat(read("{'prompt': 'a', 'completion': 'b', 'text': 'c'}")).isEqualTo(new PromptCompletion("a", "b"));
    }

    @Test
    void readsPromptAndCompletionOfMessages() {
        Example example = read("{'prompt': [{'role': 'user', 'content': 'a'}, {'role': 'assistant', 'content': 'b'}],"
                + " 'completion': [{'role': 'assistant', 'content': 'c'}]}");

        Conversation conversation = (Conversation) example;
        assertThat(conversation.messages()).extracting(ChatMessage::content).containsExactly("a", "b", "c");
        assertThat(conversation.promptMessages()).isEqualTo(2);
    }

    @Test
    void readsTextAndTokens() {
        assertThat(read("{'text': 'a'}")).isEqualTo(new PlainText("a"));
        assertThat(read("{'input_ids': [1, 2], 'labels': [-100, 2], 'attention_mask': [1, 1]}"))
                .isEqualTo(new TokenSequence(new int[] {1, 2}, new int[] {-100, 2}));
    }

    @Test
    void readsShareGpt() {
        Conversation conversation =
                (Conversation) read("{'system': 'S', 'conversations': [{'from': 'human', 'value': 'a'},"
                        + " {'from': 'function_call', 'value': '{\\u0022name\\u0022: \\u0022f\\u0022, \\u0022arguments\\u0022: {}}'},"
                        + " {'from': 'observation', 'value': 'r'}, {'from': 'gpt', 'value': 'b'}], 'tools': '[]'}");

        assertThat(conversation.messages())
                .extracting(ChatMessage::role)
                .containsExactly("system", "user", "assistant", "tool", "assistant");
        assertThat(conversation.messages()).extracting(ChatMessage::content).containsExactly("S", "a", "", "r", "b");
        assertThat(conversation.messages().get(2).fields())
                .containsEntry(
                        "tool_calls",
                        List.of(Map.of("type", "function", "function", Map.of("name", "f", "arguments", Map.of()))));
    }

    @Test
    void readsShareGptWithTheFieldsOfMessages() {
        assertThat(read("{'conversations': [{'role': 'user', 'content': 'a'}, {'role': 'assistant', 'content': 'b'}]}"))
                .isEqualTo(Conversation.of(ChatMessage.of("user", "a"), ChatMessage.of("assistant", "b")));
    }

    @Test
    void readsAlpaca() {
        assertThat(
                        read(
                                "{'instruction': 'Add', 'input': '1 2', 'output': '3', 'system': 'S', 'history': [['q', 'r']]}"))
                .isEqualTo(Conversation.of(
                        ChatMessage.of("system", "S"),
                        ChatMessage.of("user", "q"),
                        ChatMessage.of("assistant", "r"),
                        ChatMessage.of("user", "Add\n1 2"),
                        ChatMessage.of("assistant", "3")));
        assertThat(read("{'instruction': 'Add', 'input': '', 'output': '3'}"))
                .isEqualTo(Conversation.of(ChatMessage.of("user", "Add"), ChatMessage.of("assistant", "3")));
    }

    @Test
    void columnsOfATableThatAreNullOrTextsAreReadAsWhatTheyStandFor() {
        assertThat(read("{'messages': null, 'text': 'a'}")).isEqualTo(new PlainText("a"));
        assertThat(ExampleJson.read(
                        "{\"messages\": \"[{\\\"role\\\": \\\"user\\\", \\\"content\\\": \\\"a\\\"}]\"}",
                        RecordFormat.AUTO))
                .isEqualTo(Conversation.of(ChatMessage.of("user", "a")));
    }

    @Test
    void columnsMayHaveOtherNames() {
        RecordReading reading =
                new RecordReading(RecordFormat.AUTO, Columns.parse(List.of("prompt=question", "completion=prompt")));

        assertThat(reading.read("{\"question\": \"a\", \"prompt\": \"b\"}")).isEqualTo(new PromptCompletion("a", "b"));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '#',
            value = {
                "messages#Cannot map columns: expected field=column, such as messages=dialog, found 'messages'",
                "dialog=messages#Cannot map column messages to 'dialog': expected one of [chat_template_kwargs, chosen, chosen_ids, completion, completion_ids, conversations, history, input,"
                        + " input_ids, instruction, label, labels, margin, messages, output, prompt, prompt_ids, rejected, rejected_ids, system, text, tools]",
            })
    void refusesColumnsThatMeanNothing(String pair, String message) {
        assertThatThrownBy(() -> Columns.parse(List.of(pair)))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage(message);
    }

    @Test
    void aGivenFormatWinsOverTheFieldsThatAreThere() {
        String line = "{\"messages\": [], \"text\": \"a\"}";

        assertThat(ExampleJson.read(line, RecordFormat.TEXT)).isEqualTo(new PlainText("a"));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '#',
            quoteCharacter = '`',
            value = {
                "[1]#Cannot read the record: expected a JSON object, found a list of 1",
                "{}#Cannot detect the format of the record: expected messages, or conversations, or prompt and completion, or"
                        + " instruction and output, or text, or input_ids and labels, found no field",
                "{'prompt': 'a'}#Cannot detect the format of the record: expected messages, or conversations, or prompt and completion, or"
                        + " instruction and output, or text, or input_ids and labels, found the fields [prompt]",
                "{'conversations': [{'from': 'human'}]}#Cannot read conversations[0]: expected an object with from and value, found an"
                        + " object with the fields [from]",
                "{'conversations': [{'from': 'cat', 'value': 'a'}]}#Cannot read conversations[0]: expected a speaker among [human, user,"
                        + " gpt, chatgpt, bing, bard, assistant, model, system, tool, observation, function_response], found \"cat\"",
                "{'conversations': []}#Cannot read field conversations: expected a list of at least 1 message, found a list of 0",
                "{'instruction': 'a', 'output': 5}#Cannot read field output: expected a text, found 5",
                "{'instruction': 'a', 'output': 'b', 'history': [['c']]}#Cannot read field history: expected pairs of question and"
                        + " answer, found a list of 1",
                "{'messages': '[1'}#Cannot read field messages as JSON: Unexpected end-of-input: expected close marker for Array at"
                        + " column 3",
                "{'text': 5}#Cannot read field text: expected a text, found 5",
                "{'messages': []}#Cannot read field messages: expected a list of at least 1 message, found a list of 0",
                "{'messages': 'a'}#Cannot read field messages: expected a list of at least 1 message, found \"a\"",
                "{'messages': [1]}#Cannot read messages[0]: expected an object with role and content, found 1",
                "{'messages': [{'content': 'a'}]}#Cannot read messages[0]: expected a role such as user or assistant, found nothing",
                "{'messages': [{'role': 'user'}]}#Cannot read messages[0].content: expected a text, found nothing",
                "{'messages': [{'role': 'user', 'content': [{'type': 'image'}]}]}#Cannot read messages[0].content: expected parts of"
                        + " type text, found an object with the fields [type]",
                "{'messages': [{'role': 'user', 'content': 'a'}], 'tools': {}}#Cannot read field tools: expected a list, found an"
                        + " object with no field",
                "{'prompt': 'a', 'completion': null}#Cannot read field completion: expected a text, found an empty value (null)",
                "{'input_ids': [1]}#Cannot read the record: expected a field labels, found the fields [input_ids]",
                "{'input_ids': [1], 'labels': [1, 2]}#Cannot read tokens: expected as many labels as input_ids, found 2 and 1",
                "{'input_ids': [], 'labels': []}#Cannot read tokens: expected at least 1 id in input_ids, found none",
                "{'input_ids': [1.5], 'labels': [1]}#Cannot read input_ids[0]: expected an integer of 32 bits, found 1.5",
                "{'input_ids': [9999999999], 'labels': [1]}#Cannot read input_ids[0]: expected an integer of 32 bits, found"
                        + " 9999999999",
            })
    void saysWhatIsWrongWithARecord(String line, String message) {
        assertThatThrownBy(() -> read(line))
                .isInstanceOf(BadRecordException.class)
                .hasMessage(message);
    }

    @Test
    void saysWhereARecordIsNoJson() {
        assertThatThrownBy(() -> read("{'text': 'a'"))
                .isInstanceOf(BadRecordException.class)
                .hasMessage(
                        "Cannot read the record as JSON: Unexpected end-of-input: expected close marker for Object at column 13");
        assertThatThrownBy(() -> read("{'text': 'a'} {}"))
                .isInstanceOf(BadRecordException.class)
                .hasMessageStartingWith("Cannot read the record as JSON: Trailing token");
    }

    @Test
    void formatsHaveTheNamesOfTheCommandLine() {
        assertThat(RecordFormat.parse("prompt-completion")).isEqualTo(RecordFormat.PROMPT_COMPLETION);
        assertThatThrownBy(() -> RecordFormat.parse("chat"))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage(
                        "Cannot read records as 'chat': expected one of auto, messages, sharegpt, alpaca, prompt-completion, text, tokens");
    }

    private static Example read(String line) {
        return ExampleJson.read(line.replace('\'', '"'), RecordFormat.AUTO);
    }
}
