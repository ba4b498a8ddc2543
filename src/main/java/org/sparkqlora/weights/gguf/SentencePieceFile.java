package org.sparkqlora.weights.gguf;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.sparkqlora.input.BoundedText;
import org.sparkqlora.input.InputLimits;
import org.sparkqlora.weights.safetensors.InvalidWeightsException;

/**
 * Reads the pieces of a {@code tokenizer.model}: field 1 of SentencePiece's {@code ModelProto}, each with a text (1), a score (2)
 * and a type (3). Everything else is passed over.
 */
record SentencePieceFile(Path file, ByteBuffer bytes) {
    private static final int PIECES = 1;
    private static final int TEXT = 1;
    private static final int SCORE = 2;
    private static final int TYPE = 3;
    private static final int VARINT = 0;
    private static final int FIXED64 = 1;
    private static final int BYTES = 2;
    private static final int FIXED32 = 5;

    /**
     * A piece of text.
     *
     * @param type as SentencePiece and GGUF number it: 1 normal, 2 unknown, 3 control, 4 user defined, 5 unused, 6 byte
     */
    record Piece(String text, float score, long type) {}

    /** The pieces by id. */
    static List<Piece> read(Path file) {
        try {
            BoundedText.requireSize(file, InputLimits.DEFAULT.tokenizerBytes());
            ByteBuffer bytes = ByteBuffer.wrap(Files.readAllBytes(file)).order(ByteOrder.LITTLE_ENDIAN);
            return new SentencePieceFile(file, bytes).pieces();
        } catch (IOException e) {
            throw new UncheckedIOException("Failed to read " + file, e);
        }
    }

    private List<Piece> pieces() {
        List<Piece> pieces = new ArrayList<>();
        while (bytes.hasRemaining()) {
            int tag = (int) varint();
            if (tag == (PIECES << 3 | BYTES)) {
                ByteBuffer message = message();
                pieces.add(new SentencePieceFile(file, message).piece());
            } else {
                skip(tag);
            }
        }

        if (pieces.isEmpty()) {
            throw wrong("pieces", "none");
        }

        return pieces;
    }

    private Piece piece() {
        String text = "";
        float score = 0;
        long type = GgufVocabulary.NORMAL;
        while (bytes.hasRemaining()) {
            int tag = (int) varint();
            switch (tag) {
                case TEXT << 3 | BYTES ->
                    text = StandardCharsets.UTF_8.decode(message()).toString();
                case SCORE << 3 | FIXED32 -> score = take(4).getFloat();
                case TYPE << 3 | VARINT -> type = varint();
                default -> skip(tag);
            }
        }

        return new Piece(text, score, type);
    }

    private void skip(int tag) {
        switch (tag & 7) {
            case VARINT -> varint();
            case FIXED64 -> take(8);
            case BYTES -> message();
            case FIXED32 -> take(4);
            default -> throw wrong("a field of type 0, 1, 2 or 5", "type " + (tag & 7));
        }
    }

    private ByteBuffer message() {
        long length = varint();
        if (length < 0 || length > bytes.remaining()) {
            throw wrong("at most %s bytes".formatted(bytes.remaining()), "a field of " + Long.toUnsignedString(length));
        }

        return take((int) length);
    }

    private ByteBuffer take(int length) {
        if (length > bytes.remaining()) {
            throw wrong("%s bytes more".formatted(length), "the end");
        }

        ByteBuffer taken = bytes.slice(bytes.position(), length).order(ByteOrder.LITTLE_ENDIAN);
        bytes.position(bytes.position() + length);
        return taken;
    }

    private long varint() {
        long value = 0;
        for (int shift = 0; shift < 64; shift += 7) {
            byte part = take(1).get();
            value |= (long) (part & 0x7f) << shift;
            if (part >= 0) {
                return value;
            }
        }

        throw wrong("a number of at most 64 bits", "a longer one");
    }

    private InvalidWeightsException wrong(String expected, String found) {
        return new InvalidWeightsException(
                "Cannot read %s: expected a SentencePiece model with %s, found %s".formatted(file, expected, found));
    }
}
