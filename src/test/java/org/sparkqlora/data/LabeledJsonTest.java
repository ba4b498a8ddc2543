package org.sparkqlora.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.sparkqlora.data.Example.Conversation;
import org.sparkqlora.data.Example.Labeled;
import org.sparkqlora.data.Example.PlainText;
import org.sparkqlora.data.Example.TokenSequence;
import org.sparkqlora.input.BadInputException;

class LabeledJsonTest {
    private static final Labels MOODS = new Labels(ProblemType.SINGLE_LABEL_CLASSIFICATION, List.of("sad", "glad"));
    private static final Labels STARS =
            new Labels(ProblemType.SINGLE_LABEL_CLASSIFICATION, List.of("1", "2", "3", "4", "5"));
    private static final Labels TOPICS =
            new Labels(ProblemType.MULTI_LABEL_CLASSIFICATION, List.of("war", "sport", "art"));
    private static final Labels NUMBER = new Labels(ProblemType.REGRESSION, List.of(Labels.NUMBER));

    private static Labeled read(Labels labels, String line) {
        RecordReading reading = new RecordReading(RecordFormat.AUTO, Columns.OWN, Examples.labeled(labels));
        return (Labeled) reading.read(line);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {"\"glad\" | 1", "0 | 0", "1 | 1", "true | 1", "false | 0"})
    void aClassIsANameOrAnIndex(String label, double expected) {
        Labeled read = read(MOODS, "{\"text\": \"a\", \"label\": %s}".formatted(label));

        assertThat(read).isEqualTo(new Labeled(new PlainText("a"), new double[] {expected}));
    }

    @Test
    void aNumberThatIsANameIsNoIndex() {
        assertThat(read(STARS, "{\"text\": \"a\", \"label\": 5}").labels()).containsExactly(4);
        assertThatThrownBy(() -> read(STARS, "{\"text\": \"a\", \"label\": 0}"))
                .isInstanceOf(BadRecordException.class)
                .hasMessageContaining("expected one of the labels [1, 2, 3, 4, 5], found 0");
    }

    @Test
    void severalClassesAreAList() {
        assertThat(read(TOPICS, "{\"text\": \"a\", \"labels\": [\"art\", 0]}").labels())
                .containsExactly(1, 0, 1);
        assertThat(read(TOPICS, "{\"text\": \"a\", \"labels\": []}").labels()).containsExactly(0, 0, 0);
        assertThatThrownBy(() -> read(TOPICS, "{\"text\": \"a\", \"labels\": \"art\"}"))
                .isInstanceOf(BadRecordException.class)
                .hasMessageContaining("Cannot read field labels: expected a list");
    }

    @Test
    void aRegressionIsOfNumbers() {
        assertThat(read(NUMBER, "{\"text\": \"a\", \"label\": -2.5}").labels()).containsExactly(-2.5);
        assertThatThrownBy(() -> read(NUMBER, "{\"text\": \"a\", \"label\": \"2\"}"))
                .isInstanceOf(BadRecordException.class)
                .hasMessageContaining("Cannot read field label: expected a number");

        Labels two = new Labels(ProblemType.REGRESSION, List.of("height", "width"));
        assertThat(read(two, "{\"text\": \"a\", \"labels\": [1, 2]}").labels()).containsExactly(1, 2);
        assertThatThrownBy(() -> read(two, "{\"text\": \"a\", \"labels\": [1]}"))
                .isInstanceOf(BadRecordException.class)
                .hasMessageContaining("expected 2 numbers, found 1");
    }

    @Test
    void whatIsLabelledIsAnyExample() {
        assertThat(read(
                                MOODS,
                                "{\"messages\": [{\"role\": \"user\", \"content\": \"a\"}, {\"role\": \"assistant\","
                                        + " \"content\": \"b\"}], \"label\": 1}")
                        .text())
                .isInstanceOf(Conversation.class);
        assertThat(read(MOODS, "{\"input_ids\": [5, 6], \"label\": 1}").text())
                .isEqualTo(new TokenSequence(new int[] {5, 6}, new int[] {5, 6}));
    }

    @ParameterizedTest
    @CsvSource({"null", "2", "-1", "\"bad\"", "0.5", "[0]"})
    void anotherLabelIsABadRecord(String label) {
        assertThatThrownBy(() -> read(MOODS, "{\"text\": \"a\", \"label\": %s}".formatted(label)))
                .isInstanceOf(BadRecordException.class)
                .hasMessageContaining("label");
    }

    @Test
    void namesAreTwoAtLeastAndDifferent() {
        assertThatThrownBy(() -> new Labels(ProblemType.SINGLE_LABEL_CLASSIFICATION, List.of("a")))
                .isInstanceOf(BadInputException.class)
                .hasMessageContaining("expected the names of at least 2 labels, found [a]");
        assertThatThrownBy(() -> new Labels(ProblemType.MULTI_LABEL_CLASSIFICATION, List.of("a", "a")))
                .isInstanceOf(BadInputException.class)
                .hasMessageContaining("expected each of them once");
    }
}
