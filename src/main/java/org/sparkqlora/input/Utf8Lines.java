package org.sparkqlora.input;

import java.io.BufferedReader;
import java.io.IOException;
import java.nio.charset.CharacterCodingException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;

/** The lines of a text in UTF-8 that people and their programs wrote. A byte order mark before them is none of the first. */
public final class Utf8Lines {
    private static final String BYTE_ORDER_MARK = "\uFEFF";

    private Utf8Lines() {}

    /** All lines of {@code file}. */
    public static List<String> read(Path file) throws IOException {
        List<String> lines = new ArrayList<>();
        each(file, lines::add);
        return lines;
    }

    /** Gives {@code taking} one line of {@code file} after another. */
    public static void each(Path file, Consumer<String> taking) throws IOException {
        try (BufferedReader lines = Files.newBufferedReader(file)) {
            String line = lines.readLine();
            if (line != null && line.startsWith(BYTE_ORDER_MARK)) {
                line = line.substring(BYTE_ORDER_MARK.length());
            }

            for (; line != null; line = lines.readLine()) {
                taking.accept(line);
            }
        } catch (CharacterCodingException e) {
            throw new BadInputException(
                    "Cannot read %s: expected text in UTF-8, found other bytes. Is it compressed, or in another encoding?"
                            .formatted(file),
                    e);
        }
    }
}
