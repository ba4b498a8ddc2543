package org.sparkqlora.input;

import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;

/** Text of a file that is read whole, if it is as small as such files are. */
public final class BoundedText {
    private BoundedText() {}

    /** Reads the UTF-8 of {@code file}, of at most {@code mostBytes}. */
    public static String read(Path file, int mostBytes) throws IOException {
        try (InputStream in = Files.newInputStream(file)) {
            return read(in, mostBytes, file);
        }
    }

    /** Reads the UTF-8 of {@code in}, of at most {@code mostBytes}; {@code name} is for messages. */
    public static String read(InputStream in, int mostBytes, Object name) throws IOException {
        byte[] bytes = in.readNBytes(mostBytes);
        if (in.read() >= 0) {
            throw tooLarge(name, mostBytes);
        }

        try {
            return StandardCharsets.UTF_8
                    .newDecoder()
                    .decode(ByteBuffer.wrap(bytes))
                    .toString();
        } catch (CharacterCodingException e) {
            throw new BadInputException("Cannot read %s: expected text in UTF-8, found other bytes".formatted(name), e);
        }
    }

    /** Refuses a file of more than {@code mostBytes}. */
    public static void requireSize(Path file, int mostBytes) throws IOException {
        if (Files.size(file) > mostBytes) {
            throw tooLarge(file, mostBytes);
        }
    }

    private static BadInputException tooLarge(Object name, int mostBytes) {
        return new BadInputException("Cannot read %s: expected at most %d bytes, found more. Is it the right file?"
                .formatted(name, mostBytes));
    }
}
