package org.sparkqlora.tokenizer.packing;

import java.io.Serializable;
import java.nio.ByteBuffer;
import org.sparkqlora.data.ExampleKind;

/**
 * The properties that rows of one kind share, and so the bytes of each.
 *
 * @param width tokens a row
 * @param values numbers of a document beside its tokens
 */
public record RowLayout(int width, int values) implements Serializable {
    /** Bytes of one row. */
    public int byteSize() {
        return TokenRowCodec.byteSize(width, values);
    }

    /** Most examples of a row. Those whose documents have values, or may get some later, are bounded. */
    public int mostExamples(ExampleKind kind) {
        return kind == ExampleKind.SUPERVISED ? width : TokenRowCodec.mostDocuments(width) / kind.documents();
    }

    /** Writes {@code row} at the position of {@code target}, which moves behind it. */
    public void write(TokenRow row, ByteBuffer target) {
        TokenRowCodec.write(row, values, target);
    }

    /** Reads the row at the position of {@code source}, which moves behind it. */
    public TokenRow read(ByteBuffer source) {
        return TokenRowCodec.read(source, width, values);
    }
}
