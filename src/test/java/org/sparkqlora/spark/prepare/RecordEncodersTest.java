package org.sparkqlora.spark.prepare;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.LocalDate;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.sparkqlora.checkpoint.hub.ModelPlace;
import org.sparkqlora.data.BadRecordException;
import org.sparkqlora.data.RecordFormat;
import org.sparkqlora.data.RecordReading;
import org.sparkqlora.storage.ModelCache;
import org.sparkqlora.tokenizer.EncodedExample;
import org.sparkqlora.tokenizer.ModelTokenizer;
import org.sparkqlora.tokenizer.TemplateText;
import org.sparkqlora.tokenizer.TestTokenizers;
import org.sparkqlora.tokenizer.TrainOn;

class RecordEncodersTest {
    private static final RecordReading TOKENS = RecordReading.of(RecordFormat.TOKENS);

    private final LineEncoder tokens = RecordEncoders.ofTokens(TOKENS).open();

    @Test
    void tokenRecordsNeedNoTokenizer() {
        EncodedExample example = tokens.encode("{\"input_ids\": [5, 6, 7], \"labels\": [5, -100, 7]}");

        assertThat(example).isEqualTo(new EncodedExample(new int[] {5, 6, 7}, new boolean[] {false, false, true}));
        assertThat(RecordEncoders.of(
                        TOKENS, PreparationRuns.tokenizer("/no/such/model"), null, TrainOn.ASSISTANT, List.of()))
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
        RecordEncoders encoders = RecordEncoders.of(
                RecordReading.of(RecordFormat.TEXT),
                PreparationRuns.tokenizer(folder),
                null,
                TrainOn.ASSISTANT,
                List.of());

        try (ModelTokenizer tokenizer = ModelTokenizer.open(TestTokenizers.bytes());
                LineEncoder encoder = encoders.open()) {
            assertThat(encoder.encode("{\"text\": \"hello\"}").ids()).startsWith(tokenizer.encode("hello"));
            assertThat(encoders.fingerprint()).contains(tokenizer.fingerprint());
        }
    }

    @Test
    void aTemplateThatNeedsMoreThanUsualWritesWhereItIsAllowedMore() {
        TemplateText costly = new TemplateText(
                "{% for i in range(90000) %}{% set x = range(60) %}{% endfor %}{{ messages[0].content }}"
                        + "{% generation %}!{% endgeneration %}",
                "costly.jinja");
        RecordEncoders usual = RecordEncoders.of(
                RecordReading.of(RecordFormat.MESSAGES),
                PreparationRuns.tokenizer(TestTokenizers.bytes().toString()),
                costly,
                TrainOn.ASSISTANT,
                List.of());
        RecordEncoders more = usual.withTemplateBudget(3);
        String record =
                "{\"messages\": [{\"role\": \"user\", \"content\": \"hi\"}, {\"role\": \"assistant\", \"content\": \"ho\"}]}";

        try (LineEncoder refusing = usual.open();
                LineEncoder allowing = more.on(LocalDate.EPOCH).open()) {
            assertThatThrownBy(() -> refusing.encode(record))
                    .isInstanceOf(BadRecordException.class)
                    .hasMessageContaining("allow more with --template-budget");
            assertThat(allowing.encode(record).ids()).isNotEmpty();
        }

        assertThat(usual.withTemplateBudget(1).fingerprint()).isEqualTo(usual.fingerprint());
        assertThat(more.fingerprint()).isEqualTo(usual.fingerprint() + ", template budget 3");
    }

    @Test
    void aHostCopiesTheTokenizerOfAModelThatIsElsewhere(@TempDir Path folder) throws IOException {
        Path elsewhere = Files.createDirectory(folder.resolve("elsewhere"));
        Files.copy(TestTokenizers.bytes().resolve("tokenizer.json"), elsewhere.resolve("tokenizer.json"));
        Files.copy(TestTokenizers.bytes().resolve("tokenizer_config.json"), elsewhere.resolve("tokenizer_config.json"));
        Files.writeString(elsewhere.resolve("config.json"), "{}");
        Path cache = folder.resolve("cache");
        TokenizerPlace place =
                new TokenizerPlace(new ModelPlace("file://" + elsewhere, Map.of()), ModelCache.at(cache));
        TemplateText template =
                new TemplateText("{{ messages[0].content }}{% generation %}!{% endgeneration %}", "given.jinja");
        RecordEncoders encoders = RecordEncoders.of(
                RecordReading.of(RecordFormat.MESSAGES), place, template, TrainOn.ASSISTANT, List.of());
        try (Stream<Path> copied = Files.walk(cache)) {
            copied.sorted(Comparator.reverseOrder())
                    .forEach(path -> path.toFile().delete()); // a host that has not seen it
        }

        try (ModelTokenizer tokenizer = ModelTokenizer.open(TestTokenizers.bytes());
                LineEncoder encoder = encoders.open()) {
            int[] ids = encoder.encode(
                            "{\"messages\": [{\"role\": \"user\", \"content\": \"hi\"}, {\"role\": \"assistant\", \"content\": \"ho\"}]}")
                    .ids();
            assertThat(tokenizer.decode(ids)).isEqualTo("hi!");
        }
    }
}
