package org.sparkqlora.spark.prepare;

import org.sparkqlora.tokenizer.ControlTokens;
import org.sparkqlora.tokenizer.EncodedExample;

/** Turns a line of a source file into token ids and a mask. Used by one task at a time. */
public interface LineEncoder extends AutoCloseable {
    /** Throws {@link org.sparkqlora.data.BadRecordException} for a line that is no record. */
    EncodedExample encode(String line);

    /** Tokens by which the ends of examples are judged. */
    default ControlTokens control() {
        return ControlTokens.UNKNOWN;
    }

    @Override
    void close();
}
