package org.sparkqlora.run.generate;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.time.LocalDate;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.sparkqlora.data.BadRecordException;
import org.sparkqlora.data.ExampleJson;
import org.sparkqlora.data.Prompt;
import org.sparkqlora.input.BadInputException;
import org.sparkqlora.input.TemplateLimits;
import org.sparkqlora.input.Utf8Lines;
import org.sparkqlora.spark.job.ByAdapter;
import org.sparkqlora.storage.StoredFile;
import org.sparkqlora.tokenizer.ModelTokenizer;
import org.sparkqlora.tokenizer.PromptEncoder;

/**
 * A file of prompts, one a line. Where the first line is a JSON object all are records; else each line is a question. Blank lines
 * count as no prompt.
 *
 * @param adapterField of records, with the name of the adapter that answers; null where prompts name none
 */
record PromptFile(Path path, @Nullable String adapterField) {
    private static final String OBJECT = "{";
    private static final Pattern LIST = Pattern.compile("\\[(\\s*\\{.*)?");

    /** A file whose prompts name no adapters. */
    PromptFile(Path path) {
        this(path, null);
    }

    /**
     * One prompt.
     *
     * @param number of its line, from 1
     * @param adapter that it names; empty for none
     */
    record Line(int number, Prompt prompt, String adapter) {}

    List<Line> read() {
        List<String> lines = lines();
        String first = lines.stream()
                .filter(line -> !line.isBlank())
                .findFirst()
                .orElse("")
                .strip();
        if (LIST.matcher(first).matches()) {
            throw new BadInputException(
                    "Cannot answer %s: expected JSON lines or lines of text, found a JSON list. Write each of its records on a line of its own"
                            .formatted(path));
        }

        boolean records = first.startsWith(OBJECT);
        requireRecords(records);
        List<Line> prompts = new ArrayList<>();
        for (int i = 0; i < lines.size(); i++) {
            String line = lines.get(i);
            if (!line.isBlank()) {
                prompts.add(records ? record(line, i + 1) : new Line(i + 1, new Prompt.Question(line.strip()), ""));
            }
        }

        if (prompts.isEmpty()) {
            throw new BadInputException("Cannot answer %s: expected a prompt, found none".formatted(path));
        }

        if (adapterField != null
                && prompts.stream().allMatch(line -> line.adapter().isEmpty())) {
            throw new BadInputException(
                    "--adapter-column: Cannot choose adapters for the prompts of %s: expected a field %s with the name of one, found none in any record"
                            .formatted(path, adapterField));
        }

        return prompts;
    }

    private void requireRecords(boolean records) {
        if (adapterField != null && !records) {
            throw new BadInputException(
                    "--prompts: Cannot choose adapters for the prompts of %s: expected JSON lines with a field %s, found lines of text"
                            .formatted(path, adapterField));
        }
    }

    /** A hash of its content. */
    String hash() {
        try {
            return StoredFile.hash(path);
        } catch (IOException e) {
            throw new UncheckedIOException("Failed to read " + path, e);
        }
    }

    /** The ids of prompts of this file, all by one tokenizer, whose chat template is told today. */
    List<int[]> encoded(List<Line> prompts, ModelTokenizer tokenizer) {
        return encoded(prompts, new ByAdapter<>(new TreeMap<>(Map.of("", tokenizer))), null);
    }

    /**
     * The ids of prompts of this file.
     *
     * @param tokenizers by the names of adapters
     * @param day that the chat template is told; null for today
     */
    List<int[]> encoded(List<Line> prompts, ByAdapter<ModelTokenizer> tokenizers, @Nullable LocalDate day) {
        List<int[]> encoded = new ArrayList<>();
        for (Line line : prompts) {
            try {
                ModelTokenizer tokenizer = tokenizers.require(line.adapter());
                encoded.add(new PromptEncoder(tokenizer, day, TemplateLimits.DEFAULT).encode(line.prompt()));
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

    private Line record(String line, int number) {
        try {
            String adapter = adapterField == null ? "" : ExampleJson.readText(line, adapterField);
            return new Line(number, ExampleJson.readPrompt(line), adapter);
        } catch (BadRecordException e) {
            throw refused(number, e);
        }
    }

    private List<String> lines() {
        try {
            return Utf8Lines.read(path);
        } catch (IOException e) {
            throw new UncheckedIOException("Failed to read " + path, e);
        }
    }
}
