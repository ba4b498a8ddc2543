package org.sparkqlora.spark.prepare;

import java.util.Arrays;
import org.sparkqlora.data.BadRecordException;
import org.sparkqlora.tokenizer.EncodedDocuments;
import org.sparkqlora.tokenizer.EncodedExample;

/** Reads lines like {@code 3 1 4 1 5}: token ids, all trained; a lone number is a document without a target. */
public record NumbersEncoder(String fingerprint) implements LineEncoderSource {
    @Override
    public LineEncoder open() {
        return new LineEncoder() {
            @Override
            public EncodedDocuments documents(String line) {
                return EncodedDocuments.of(parse(line));
            }

            @Override
            public void close() {}
        };
    }

    private static EncodedExample parse(String line) {
        try {
            int[] ids = Arrays.stream(line.trim().split(" ", -1))
                    .mapToInt(Integer::parseInt)
                    .toArray();
            boolean[] trained = new boolean[ids.length];
            Arrays.fill(trained, true);
            return new EncodedExample(ids, trained);
        } catch (NumberFormatException e) {
            throw new BadRecordException("expected token ids, found " + line, e);
        }
    }
}
