package org.sparkqlora.run.prepare;

import java.time.LocalDate;
import java.util.Locale;
import org.sparkqlora.data.BadRecordException;
import org.sparkqlora.data.RecordFormat;
import org.sparkqlora.input.BadInputException;
import org.sparkqlora.options.DataOptions;
import org.sparkqlora.run.model.AdapterStart;
import org.sparkqlora.run.model.Vocabulary;
import org.sparkqlora.spark.prepare.LineEncoder;
import org.sparkqlora.spark.prepare.LineEncoderSource;
import org.sparkqlora.spark.prepare.RecordEncoders;
import org.sparkqlora.spark.prepare.TokenIds;
import org.sparkqlora.spark.prepare.TokenizerPlace;
import org.sparkqlora.tokenizer.ControlTokens;
import org.sparkqlora.tokenizer.EncodedDocuments;
import org.sparkqlora.tokenizer.EncodedExample;
import org.sparkqlora.tokenizer.ModelTokenizer;
import org.sparkqlora.tokenizer.TemplateText;
import org.sparkqlora.weights.family.ModelConfig;

/**
 * Encodes records for one model: an id that its embedding does not have makes a bad record.
 *
 * @param records encodes them for any model
 * @param ids of the model: what its tokenizer makes of text, and rows of its embedding
 */
public record ModelEncoders(LineEncoderSource records, TokenIds ids) implements LineEncoderSource {
    /** Makes sure that the tokenizer, if the format needs one, can be opened and fits the model. */
    public static ModelEncoders of(TokenizerPlace place, DataOptions data, AdapterStart start, ModelConfig base) {
        return of(place, data, start.vocabulary(), start.sized(base).vocabularySize());
    }

    /** Encoders for an embedding of {@code vocabulary} rows. */
    public static ModelEncoders of(TokenizerPlace place, DataOptions data, Vocabulary tokens, int vocabulary) {
        if (data.format == RecordFormat.TOKENS) {
            return new ModelEncoders(RecordEncoders.ofTokens(data.reading()), new TokenIds("", vocabulary));
        }

        TemplateText template = data.chatTemplate == null ? null : TemplateText.read(data.chatTemplate);
        RecordEncoders records = RecordEncoders.of(data.reading(), place, template, data.trainOn, tokens.added())
                .withTemplateBudget(data.templateBudget);
        int known = records.withTokenizer(ModelTokenizer::vocabularySize);
        if (known > vocabulary) {
            throw new BadInputException(
                    "Cannot use the tokenizer of %s: expected at most %d tokens, as the model's embedding has, found %d. Is tokenizer.json from the same model?"
                            .formatted(place.folder(), vocabulary, known));
        }

        return new ModelEncoders(records, new TokenIds(ModelTokenizer.hashOf(place.folder()), vocabulary));
    }

    @Override
    public String fingerprint() {
        return String.format(Locale.ROOT, "%s, %d ids", records.fingerprint(), ids.vocabulary());
    }

    @Override
    public boolean asksForTheDay() {
        return records.asksForTheDay();
    }

    @Override
    public LineEncoderSource on(LocalDate day) {
        return new ModelEncoders(records.on(day), ids);
    }

    @Override
    public LineEncoder open() {
        return new KnownIds(records.open(), ids.vocabulary());
    }

    private record KnownIds(LineEncoder records, int vocabulary) implements LineEncoder {
        @Override
        public EncodedDocuments documents(String line) {
            EncodedDocuments example = records.documents(line);
            for (EncodedExample document : example.documents()) {
                int[] ids = document.ids();
                for (int t = 0; t < ids.length; t++) {
                    requireKnown(t, ids[t]);
                }
            }

            return example;
        }

        @Override
        public ControlTokens control() {
            return records.control();
        }

        private void requireKnown(int t, int id) {
            if (id < 0 || id >= vocabulary) {
                throw new BadRecordException(
                        "Cannot use token %d: expected an id from 0 to %d, found %d".formatted(t, vocabulary - 1, id));
            }
        }

        @Override
        public void close() {
            records.close();
        }
    }
}
