package org.sparkqlora.tokenizer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.Arrays;
import java.util.stream.IntStream;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.sparkqlora.data.BadRecordException;
import org.sparkqlora.data.Columns;
import org.sparkqlora.data.ExampleKind;
import org.sparkqlora.data.Examples;
import org.sparkqlora.data.GoldenJson;
import org.sparkqlora.data.RecordFormat;
import org.sparkqlora.data.RecordReading;

/** The reference is TRL; {@code src/test/python/make_answer_goldens.py} made the files. */
class AnswerEncoderTest {
    private static final ModelTokenizer BYTES = ModelTokenizer.open(TestTokenizers.bytes());
    private static final ModelTokenizer PIECES = ModelTokenizer.open(TestTokenizers.pieces());
    private static final RecordReading PAIRS =
            new RecordReading(RecordFormat.AUTO, Columns.OWN, Examples.of(ExampleKind.PREFERENCE));

    @AfterAll
    static void close() {
        BYTES.close();
        PIECES.close();
    }

    @ParameterizedTest
    @ValueSource(strings = {"bytes", "pieces"})
    void pairsGetTheIdsOfTrl(String name) {
        ExampleEncoder encoder = new ExampleEncoder(name.equals("bytes") ? BYTES : PIECES, TrainOn.ASSISTANT);
        for (JsonNode golden : GoldenJson.read("tokenizers/" + name + "-answers.json")) {
            EncodedDocuments encoded =
                    encoder.documents(PAIRS.read(golden.get("record").toString()));

            assertThat(encoded.documents()).hasSize(2);
            assertThat(encoded.documents().get(0))
                    .as(golden.toString())
                    .isEqualTo(document(golden.get("prompt_ids"), golden.get("chosen_ids")));
            assertThat(encoded.documents().get(1))
                    .as(golden.toString())
                    .isEqualTo(document(golden.get("prompt_ids"), golden.get("rejected_ids")));
        }
    }

    @Test
    void tellsWhereAPromptChangesByItsAnswer() {
        ExampleEncoder encoder = new ExampleEncoder(BYTES, TrainOn.ASSISTANT);

        assertThat(encoder.documents(PAIRS.read("{\"prompt\": \"a th\", \"chosen\": \"e\", \"rejected\": \"is\"}"))
                        .promptChanged())
                .isTrue();
        assertThat(encoder.documents(PAIRS.read("{\"prompt\": \"a\", \"chosen\": \" b\", \"rejected\": \" c\"}"))
                        .promptChanged())
                .isFalse();
    }

    @Test
    void emptyAnswersAreBadRecords() {
        assertThatThrownBy(() -> PAIRS.read("{\"chosen\": [], \"rejected\": []}"))
                .isInstanceOf(BadRecordException.class)
                .hasMessage("Cannot read field chosen: expected a list of at least 1 message, found a list of 0");
    }

    private static EncodedExample document(JsonNode prompt, JsonNode answer) {
        int[] ids = IntStream.concat(ints(prompt), ints(answer)).toArray();
        boolean[] trained = new boolean[ids.length];
        Arrays.fill(trained, prompt.size(), ids.length, true);
        return new EncodedExample(ids, trained);
    }

    private static IntStream ints(JsonNode node) {
        return StreamSupport.stream(node.spliterator(), false).mapToInt(JsonNode::asInt);
    }
}
