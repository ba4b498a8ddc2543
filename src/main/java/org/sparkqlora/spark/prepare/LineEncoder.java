package org.sparkqlora.spark.prepare;

import org.sparkqlora.tokenizer.ControlTokens;
import org.sparkqlora.tokenizer.EncodedDocuments;
import org.sparkqlora.tokenizer.EncodedExample;

/** Turns a line of a source file into token ids and a mask. Used by one task at a time. */
public interface LineEncoder extends AutoCloseable {
    /** The documents of the example in a line. Throws {@link org.sparkqlora.data.BadRecordException} for a line that is no record. */
    EncodedDocuments documents(String line);

    /** The first of them. */
    default EncodedExample encode(String line) {
        return documents(line).first();
    }

    /** Tokens by which the ends of examples are judged. */
    default ControlTokens control() {
        return ControlTokens.UNKNOWN;
    }

    @Override
    void close();
}
