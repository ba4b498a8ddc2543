package org.sparkqlora.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.sparkqlora.data.Example.Conversation;
import org.sparkqlora.data.Example.Preference;
import org.sparkqlora.data.Example.PromptCompletion;
import org.sparkqlora.data.Example.TokenSequence;
import org.sparkqlora.data.Example.Unpaired;

/** Shapes of preference data that are in use. */
class AnswersJsonTest {
    private static final RecordReading PREFERENCE =
            new RecordReading(RecordFormat.AUTO, Columns.OWN, Examples.of(ExampleKind.PREFERENCE));
    private static final RecordReading UNPAIRED =
            new RecordReading(RecordFormat.AUTO, Columns.OWN, Examples.of(ExampleKind.UNPAIRED));

    private static final ChatMessage QUESTION = ChatMessage.of("user", "q");
    private static final ChatMessage GOOD = ChatMessage.of("assistant", "good");
    private static final ChatMessage BAD = ChatMessage.of("assistant", "bad");
    private static final Preference CONVERSATIONS = new Preference(
            Conversation.of(QUESTION, GOOD).afterPrompt(1),
            Conversation.of(QUESTION, BAD).afterPrompt(1));

    static Stream<Arguments> conversations() {
        String asked = "[{\"role\": \"user\", \"content\": \"q\"}";
        String good = "{\"role\": \"assistant\", \"content\": \"good\"}]";
        String bad = "{\"role\": \"assistant\", \"content\": \"bad\"}]";
        return Stream.of(
                Arguments.of(
                        "TRL", "{\"prompt\": " + asked + "], \"chosen\": [" + good + ", \"rejected\": [" + bad + "}"),
                Arguments.of(
                        "TRL without a prompt",
                        "{\"chosen\": " + asked + ", " + good + ", \"rejected\": " + asked + ", " + bad + "}"),
                Arguments.of(
                        "UltraFeedback, whose prompt is a text and lies in the answers too",
                        "{\"prompt\": \"q\", \"chosen\": " + asked + ", " + good + ", \"rejected\": " + asked + ", "
                                + bad + ", \"score_chosen\": 8.5}"),
                Arguments.of(
                        "a prompt as text and answers as messages",
                        "{\"prompt\": \"q\", \"chosen\": [" + good + ", \"rejected\": [" + bad + "}"));
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("conversations")
    void conversationsAreReadInAllTheirShapes(String shape, String line) {
        assertThat(PREFERENCE.read(line)).as(shape).isEqualTo(CONVERSATIONS);
    }

    @Test
    void textsHaveAPromptOrACommonBeginning() {
        Preference expected = new Preference(new PromptCompletion("a b", " c"), new PromptCompletion("a b", " d"));

        assertThat(PREFERENCE.read("{\"prompt\": \"a b\", \"chosen\": \" c\", \"rejected\": \" d\"}"))
                .isEqualTo(expected);
        assertThat(PREFERENCE.read("{\"chosen\": \"a b c\", \"rejected\": \"a b d\"}"))
                .isEqualTo(expected);
    }

    @Test
    void idsTrainTheAnswerAlone() {
        assertThat(PREFERENCE.read("{\"prompt_ids\": [1, 2], \"chosen_ids\": [3], \"rejected_ids\": [4, 5]}"))
                .isEqualTo(new Preference(
                        new TokenSequence(new int[] {1, 2, 3}, new int[] {-100, -100, 3}),
                        new TokenSequence(new int[] {1, 2, 4, 5}, new int[] {-100, -100, 4, 5})));
    }

    @Test
    void thumbsAreLabels() {
        assertThat(UNPAIRED.read("{\"prompt\": \"q\", \"completion\": \"a\", \"label\": false}"))
                .isEqualTo(new Unpaired(new PromptCompletion("q", "a"), false));
        assertThat(UNPAIRED.read("{\"prompt\": \"q\", \"completion\": [{\"role\": \"assistant\", \"content\":"
                        + " \"good\"}], \"label\": 1}"))
                .isEqualTo(new Unpaired(
                        new Conversation(List.of(QUESTION, GOOD), List.of(), 1, TemplateVariables.NONE), true));
    }

    @Test
    void saysWhatIsMissing() {
        assertThatThrownBy(() -> PREFERENCE.read("{\"prompt\": \"q\", \"completion\": \"a\"}"))
                .isInstanceOf(BadRecordException.class)
                .hasMessage(
                        "Cannot read a preference: expected prompt, chosen and rejected, or chosen and rejected, or prompt_ids, chosen_ids and rejected_ids, found the fields [prompt, completion]");
        assertThatThrownBy(() -> UNPAIRED.read("{\"prompt\": \"q\", \"completion\": \"a\", \"label\": \"yes\"}"))
                .isInstanceOf(BadRecordException.class)
                .hasMessage("Cannot read field label: expected true or false, found \"yes\"");
        assertThatThrownBy(() -> PREFERENCE.read("{\"prompt_ids\": [1], \"chosen_ids\": [], \"rejected_ids\": [2]}"))
                .isInstanceOf(BadRecordException.class)
                .hasMessage("Cannot read field chosen_ids: expected at least 1 id, found none");
    }
}
