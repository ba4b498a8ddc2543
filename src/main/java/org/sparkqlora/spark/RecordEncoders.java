package org.sparkqlora.spark;

import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.sparkqlora.data.BadRecordException;
import org.sparkqlora.data.Example;
import org.sparkqlora.data.Example.TokenSequence;
import org.sparkqlora.data.ExampleJson;
import org.sparkqlora.data.RecordFormat;
import org.sparkqlora.tokenizer.AddedToken;
import org.sparkqlora.tokenizer.EncodedExample;
import org.sparkqlora.tokenizer.ExampleEncoder;
import org.sparkqlora.tokenizer.ModelTokenizer;
import org.sparkqlora.tokenizer.TrainOn;

/**
 * Reads JSON lines and encodes them with a model's own tokenizer and chat template.
 *
 * @param format how fields are read
 * @param modelFolder where each executor finds the tokenizer; null for a format that needs none
 * @param chatTemplate a file used in place of the model's own template; null: its own
 * @param trainOn which tokens are prediction targets
 * @param added tokens that the model's tokenizer gets beside its own
 * @param tokenizerFingerprint of tokenizer and template
 */
public record RecordEncoders(
        RecordFormat format,
        @Nullable String modelFolder,
        @Nullable String chatTemplate,
        TrainOn trainOn,
        List<AddedToken> added,
        String tokenizerFingerprint)
        implements LineEncoderSource {
    private static final String NO_TOKENIZER = "none";

    public RecordEncoders {
        added = List.copyOf(added);
    }

    /** For records that are token ids already. */
    public static RecordEncoders ofTokens() {
        return new RecordEncoders(RecordFormat.TOKENS, null, null, TrainOn.ASSISTANT, List.of(), NO_TOKENIZER);
    }

    /** For text, which the tokenizer in {@code modelFolder} encodes. */
    public static RecordEncoders of(
            RecordFormat format,
            String modelFolder,
            @Nullable String chatTemplate,
            TrainOn trainOn,
            List<AddedToken> added) {
        if (format == RecordFormat.TOKENS) {
            return ofTokens();
        }

        try (ModelTokenizer tokenizer = openTokenizer(modelFolder, chatTemplate, added)) {
            return new RecordEncoders(format, modelFolder, chatTemplate, trainOn, added, tokenizer.fingerprint());
        }
    }

    @Override
    public String fingerprint() {
        return "%s, trained on %s, %s".formatted(format, trainOn.optionValue(), tokenizerFingerprint);
    }

    @Override
    public LineEncoder open() {
        return modelFolder == null
                ? new TokenLines()
                : new TextLines(format, trainOn, openTokenizer(modelFolder, chatTemplate, added));
    }

    private static ModelTokenizer openTokenizer(
            String modelFolder, @Nullable String chatTemplate, List<AddedToken> added) {
        return ModelTokenizer.open(Path.of(modelFolder), chatTemplate == null ? null : Path.of(chatTemplate), added);
    }

    private static final class TokenLines implements LineEncoder {
        @Override
        public EncodedExample encode(String line) {
            Example example = ExampleJson.read(line, RecordFormat.TOKENS);
            if (example instanceof TokenSequence tokens) {
                return ExampleEncoder.encodeTokens(tokens);
            }

            throw new BadRecordException("Cannot read a record: expected input_ids and labels");
        }

        @Override
        public void close() {}
    }

    private static final class TextLines implements LineEncoder {
        private final RecordFormat format;
        private final ModelTokenizer tokenizer;
        private final ExampleEncoder encoder;

        private TextLines(RecordFormat format, TrainOn trainOn, ModelTokenizer tokenizer) {
            this.format = format;
            this.tokenizer = tokenizer;
            this.encoder = new ExampleEncoder(tokenizer, trainOn);
        }

        @Override
        public EncodedExample encode(String line) {
            return encoder.encode(ExampleJson.read(line, format));
        }

        @Override
        public void close() {
            tokenizer.close();
        }
    }
}
