package org.sparkqlora.spark;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.sparkqlora.data.BadRecordException;
import org.sparkqlora.data.RecordFormat;
import org.sparkqlora.data.RecordReading;
import org.sparkqlora.tokenizer.EncodedExample;
import org.sparkqlora.tokenizer.ModelTokenizer;
import org.sparkqlora.tokenizer.TestTokenizers;
import org.sparkqlora.tokenizer.TrainOn;

class RecordEncodersTest {
    private static final RecordReading TOKENS = RecordReading.of(RecordFormat.TOKENS);

    private final LineEncoder tokens = RecordEncoders.ofTokens(TOKENS).open();

    @Test
    void tokenRecordsNeedNoTokenizer() {
        EncodedExample example = tokens.encode("{\"input_ids\": [5, 6, 7], \"labels\": [5, -100, 7]}");

        assertThat(example).isEqualTo(new EncodedExample(new int[] {5, 6, 7}, new boolean[] {false, false, true}));
        assertThat(RecordEncoders.of(TOKENS, "/no/such/model", null, TrainOn.ASSISTANT, List.of()))
                .isEqualTo(RecordEncoders.ofTokens(TOKENS));
    }

    @Test
    void brokenJsonIsABadRecord() {
        assertThatThrownBy(() -> tokens.encode("{\"input_ids\": ["))
                .isInstanceOf(BadRecordException.class)
                .hasMessageStartingWith("Cannot read");
    }

    @Test
    void textIsEncodedByTheModelsOwnTokenizer() {
        String folder = TestTokenizers.bytes().toString();
        RecordEncoders encoders =
                RecordEncoders.of(RecordReading.of(RecordFormat.TEXT), folder, null, TrainOn.ASSISTANT, List.of());

        try (ModelTokenizer tokenizer = ModelTokenizer.open(TestTokenizers.bytes());
                LineEncoder encoder = encoders.open()) {
            assertThat(encoder.encode("{\"text\": \"hello\"}").ids()).startsWith(tokenizer.encode("hello"));
            assertThat(encoders.fingerprint()).contains(tokenizer.fingerprint());
        }
    }
}
