package org.sparkqlora.spark.prepare;

import java.time.LocalDate;
import java.util.List;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.sparkqlora.data.RecordFormat;
import org.sparkqlora.data.RecordReading;
import org.sparkqlora.input.TemplateLimits;
import org.sparkqlora.spark.cluster.SharedResources;
import org.sparkqlora.tokenizer.AddedToken;
import org.sparkqlora.tokenizer.ControlTokens;
import org.sparkqlora.tokenizer.EncodedDocuments;
import org.sparkqlora.tokenizer.ExampleEncoder;
import org.sparkqlora.tokenizer.ModelTokenizer;
import org.sparkqlora.tokenizer.TemplateText;
import org.sparkqlora.tokenizer.TrainOn;

/**
 * Reads JSON lines and encodes them with a model's own tokenizer and chat template.
 *
 * @param reading of fields
 * @param place where each executor finds the tokenizer; null for a format that needs none
 * @param chatTemplate used in place of the model's own template; null: its own
 * @param trainOn which tokens are prediction targets
 * @param added tokens that the model's tokenizer gets beside its own
 * @param tokenizerFingerprint of tokenizer and template
 * @param day that the template is told; null where it does not ask
 * @param templateBudget factor on the usual limits of templates
 */
public record RecordEncoders(
        RecordReading reading,
        @Nullable TokenizerPlace place,
        @Nullable TemplateText chatTemplate,
        TrainOn trainOn,
        List<AddedToken> added,
        String tokenizerFingerprint,
        @Nullable LocalDate day,
        int templateBudget)
        implements LineEncoderSource {
    private static final String NO_TOKENIZER = "none";

    /** A Spark task has no other way to find what an earlier task of its process left. */
    private static final SharedResources<ModelTokenizer> TOKENIZERS = new SharedResources<>(ModelTokenizer::close);

    public RecordEncoders {
        added = List.copyOf(added);
    }

    /** For records that are token ids already. */
    public static RecordEncoders ofTokens(RecordReading reading) {
        return new RecordEncoders(reading, null, null, TrainOn.ASSISTANT, List.of(), NO_TOKENIZER, null, 1);
    }

    /** For text, which the tokenizer at {@code place} encodes. */
    public static RecordEncoders of(
            RecordReading reading,
            TokenizerPlace place,
            @Nullable TemplateText chatTemplate,
            TrainOn trainOn,
            List<AddedToken> added) {
        if (reading.format() == RecordFormat.TOKENS) {
            return ofTokens(reading);
        }

        String fingerprint = ModelTokenizer.fingerprintOf(place.folder(), chatTemplate, added);
        boolean asks =
                reading.format() != RecordFormat.TEXT && ModelTokenizer.asksForTheDay(place.folder(), chatTemplate);
        LocalDate day = asks ? LocalDate.now() : null;
        return new RecordEncoders(reading, place, chatTemplate, trainOn, added, fingerprint, day, 1);
    }

    @Override
    public boolean asksForTheDay() {
        return day != null;
    }

    @Override
    public RecordEncoders on(LocalDate other) {
        LocalDate told = day == null ? null : other;
        return new RecordEncoders(
                reading, place, chatTemplate, trainOn, added, tokenizerFingerprint, told, templateBudget);
    }

    /** These encoders with {@code times} the usual limits of templates. */
    public RecordEncoders withTemplateBudget(int times) {
        return place == null
                ? this
                : new RecordEncoders(reading, place, chatTemplate, trainOn, added, tokenizerFingerprint, day, times);
    }

    /** The limits of the template for a record. */
    public TemplateLimits templateLimits() {
        return TemplateLimits.DEFAULT.times(templateBudget);
    }

    @Override
    public String fingerprint() {
        String budget = templateBudget == 1 ? "" : ", template budget " + templateBudget;
        return "%s, trained on %s, %s%s".formatted(reading, trainOn.optionName(), tokenizerFingerprint, budget);
    }

    @Override
    public LineEncoder open() {
        return place == null ? new TokenLines(reading) : new TextLines(lease(place), this);
    }

    /** The result of {@code work} with the tokenizer, which stays open for the next task of this process. */
    public <T> T withTokenizer(Function<ModelTokenizer, T> work) {
        if (place == null) {
            throw new IllegalStateException("Cannot encode text: records are token ids");
        }

        try (SharedResources<ModelTokenizer>.Lease lease = lease(place)) {
            return work.apply(lease.get());
        }
    }

    /** Of the tokenizer with the fingerprint that the driver saw. */
    private SharedResources<ModelTokenizer>.Lease lease(TokenizerPlace of) {
        String key = "%s %s %s".formatted(of, added, tokenizerFingerprint);
        return TOKENIZERS.lease(key, () -> ModelTokenizer.openWith(of.folder(), chatTemplate, added));
    }

    private record TokenLines(RecordReading reading) implements LineEncoder {
        @Override
        public EncodedDocuments documents(String line) {
            return ExampleEncoder.documentsOfTokens(reading.read(line));
        }

        @Override
        public void close() {}
    }

    private static final class TextLines implements LineEncoder {
        private final RecordReading reading;
        private final SharedResources<ModelTokenizer>.Lease lease;
        private final ExampleEncoder encoder;

        private TextLines(SharedResources<ModelTokenizer>.Lease lease, RecordEncoders encoders) {
            this.reading = encoders.reading();
            this.lease = lease;
            this.encoder =
                    new ExampleEncoder(lease.get(), encoders.trainOn(), encoders.day(), encoders.templateLimits());
        }

        @Override
        public EncodedDocuments documents(String line) {
            return encoder.documents(reading.read(line));
        }

        @Override
        public ControlTokens control() {
            return ControlTokens.of(lease.get());
        }

        @Override
        public void close() {
            lease.close();
        }
    }
}
