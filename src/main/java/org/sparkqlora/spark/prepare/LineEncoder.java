package org.sparkqlora.spark.prepare;

import org.sparkqlora.tokenizer.ControlTokens;
import org.sparkqlora.tokenizer.EncodedDocuments;
import org.sparkqlora.tokenizer.EncodedExample;

/** Turns a line of a source file into token ids and a mask. Used by one task at a time. */
public interface LineEncoder extends AutoCloseable {
    /** Throws {@link org.sparkqlora.data.BadRecordException} for a line that is no record. */
    EncodedExample encode(String line);

    /** The documents of the example in a line; as for {@link #encode}, which of several gives the first. */
    default EncodedDocuments documents(String line) {
        return EncodedDocuments.of(encode(line));
    }

    /** Tokens by which the ends of examples are judged. */
    default ControlTokens control() {
        return ControlTokens.UNKNOWN;
    }

    @Override
    void close();
}
