package org.sparkqlora.run.generate;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.LocalDate;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.sparkqlora.data.BadRecordException;
import org.sparkqlora.data.ExampleJson;
import org.sparkqlora.data.Prompt;
import org.sparkqlora.input.BadInputException;
import org.sparkqlora.input.TemplateLimits;
import org.sparkqlora.storage.StoredFile;
import org.sparkqlora.tokenizer.ModelTokenizer;
import org.sparkqlora.tokenizer.PromptEncoder;

/**
 * A file of prompts, one a line. Where the first line is a JSON object all are records; else each line is a question. Blank lines
 * count as no prompt.
 */
record PromptFile(Path path) {
    private static final String OBJECT = "{";

    /**
     * One prompt.
     *
     * @param number of its line, from 1
     */
    record Line(int number, Prompt prompt) {}

    List<Line> read() {
        List<String> lines = lines();
        boolean records = lines.stream()
                .filter(line -> !line.isBlank())
                .findFirst()
                .orElse("")
                .stripLeading()
                .startsWith(OBJECT);
        List<Line> prompts = new ArrayList<>();
        for (int i = 0; i < lines.size(); i++) {
            String line = lines.get(i);
            if (!line.isBlank()) {
                prompts.add(new Line(i + 1, records ? record(line, i + 1) : new Prompt.Question(line.strip())));
            }
        }

        if (prompts.isEmpty()) {
            throw new BadInputException("Cannot answer %s: expected a prompt, found none".formatted(path));
        }

        return prompts;
    }

    /** A hash of its content. */
    String hash() {
        try {
            return StoredFile.hash(path);
        } catch (IOException e) {
            throw new UncheckedIOException("Failed to read " + path, e);
        }
    }

    /**
     * The ids of prompts of this file.
     *
     * @param day that the chat template is told; null for today
     */
    List<int[]> encoded(List<Line> prompts, ModelTokenizer tokenizer, @Nullable LocalDate day) {
        PromptEncoder encoder = new PromptEncoder(tokenizer, day, TemplateLimits.DEFAULT);
        List<int[]> encoded = new ArrayList<>();
        for (Line line : prompts) {
            try {
                encoded.add(encoder.encode(line.prompt()));
            } catch (BadRecordException e) {
                throw refused(line.number(), e);
            }
        }

        return encoded;
    }

    /** That the prompt of line {@code number} cannot be used. */
    private BadRecordException refused(int number, BadRecordException reason) {
        return new BadRecordException("Cannot answer %s:%d: %s".formatted(path, number, reason.getMessage()), reason);
    }

    private Prompt record(String line, int number) {
        try {
            return ExampleJson.readPrompt(line);
        } catch (BadRecordException e) {
            throw refused(number, e);
        }
    }

    private List<String> lines() {
        try {
            return Files.readAllLines(path);
        } catch (IOException e) {
            throw new UncheckedIOException("Failed to read " + path, e);
        }
    }
}
