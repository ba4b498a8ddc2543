package org.sparkqlora.spark;

import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.sparkqlora.data.BadRecordException;
import org.sparkqlora.data.Example;
import org.sparkqlora.data.Example.TokenSequence;
import org.sparkqlora.data.RecordFormat;
import org.sparkqlora.data.RecordReading;
import org.sparkqlora.tokenizer.AddedToken;
import org.sparkqlora.tokenizer.ControlTokens;
import org.sparkqlora.tokenizer.EncodedExample;
import org.sparkqlora.tokenizer.ExampleEncoder;
import org.sparkqlora.tokenizer.ModelTokenizer;
import org.sparkqlora.tokenizer.TrainOn;

/**
 * Reads JSON lines and encodes them with a model's own tokenizer and chat template.
 *
 * @param reading how fields are read
 * @param modelFolder where each executor finds the tokenizer; null for a format that needs none
 * @param chatTemplate a file used in place of the model's own template; null: its own
 * @param trainOn which tokens are prediction targets
 * @param added tokens that the model's tokenizer gets beside its own
 * @param tokenizerFingerprint of tokenizer and template
 */
public record RecordEncoders(
        RecordReading reading,
        @Nullable String modelFolder,
        @Nullable String chatTemplate,
        TrainOn trainOn,
        List<AddedToken> added,
        String tokenizerFingerprint)
        implements LineEncoderSource {
    private static final String NO_TOKENIZER = "none";

    /** A Spark task has no other way to find what an earlier task of its process left. */
    private static final SharedTokenizers TOKENIZERS = new SharedTokenizers();

    public RecordEncoders {
        added = List.copyOf(added);
    }

    /** For records that are token ids already. */
    public static RecordEncoders ofTokens(RecordReading reading) {
        return new RecordEncoders(reading, null, null, TrainOn.ASSISTANT, List.of(), NO_TOKENIZER);
    }

    /** For text, which the tokenizer in {@code modelFolder} encodes. */
    public static RecordEncoders of(
            RecordReading reading,
            String modelFolder,
            @Nullable String chatTemplate,
            TrainOn trainOn,
            List<AddedToken> added) {
        if (reading.format() == RecordFormat.TOKENS) {
            return ofTokens(reading);
        }

        try (ModelTokenizer tokenizer = openTokenizer(modelFolder, chatTemplate, added)) {
            return new RecordEncoders(reading, modelFolder, chatTemplate, trainOn, added, tokenizer.fingerprint());
        }
    }

    @Override
    public String fingerprint() {
        return "%s, trained on %s, %s".formatted(reading, trainOn.optionValue(), tokenizerFingerprint);
    }

    @Override
    public LineEncoder open() {
        return modelFolder == null ? new TokenLines(reading) : new TextLines(reading, trainOn, lease(modelFolder));
    }

    /** Of the tokenizer with the fingerprint that the driver saw. */
    private SharedTokenizers.Lease lease(String folder) {
        String key = "%s %s %s %s".formatted(folder, chatTemplate, added, tokenizerFingerprint);
        return TOKENIZERS.lease(key, () -> openTokenizer(folder, chatTemplate, added));
    }

    private static ModelTokenizer openTokenizer(
            String modelFolder, @Nullable String chatTemplate, List<AddedToken> added) {
        return ModelTokenizer.open(Path.of(modelFolder), chatTemplate == null ? null : Path.of(chatTemplate), added);
    }

    private record TokenLines(RecordReading reading) implements LineEncoder {
        @Override
        public EncodedExample encode(String line) {
            Example example = reading.read(line);
            if (example instanceof TokenSequence tokens) {
                return ExampleEncoder.encodeTokens(tokens);
            }

            throw new BadRecordException("Cannot read a record: expected input_ids and labels");
        }

        @Override
        public void close() {}
    }

    private static final class TextLines implements LineEncoder {
        private final RecordReading reading;

        private final SharedTokenizers.Lease lease;
        private final ExampleEncoder encoder;

        private TextLines(RecordReading reading, TrainOn trainOn, SharedTokenizers.Lease lease) {
            this.reading = reading;
            this.lease = lease;
            this.encoder = new ExampleEncoder(lease.tokenizer(), trainOn);
        }

        @Override
        public EncodedExample encode(String line) {
            return encoder.encode(reading.read(line));
        }

        @Override
        public ControlTokens control() {
            return ControlTokens.of(lease.tokenizer());
        }

        @Override
        public void close() {
            lease.close();
        }
    }
}
