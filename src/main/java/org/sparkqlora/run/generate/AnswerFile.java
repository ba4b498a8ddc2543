package org.sparkqlora.run.generate;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.CharacterCodingException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import org.sparkqlora.input.BadInputException;
import org.sparkqlora.storage.LineJournal;
import org.sparkqlora.storage.LocalFiles;

/**
 * Answers that become a file of lines. Until all are made they are in {@code NAME.unfinished}, whose first line is their question. Driver
 * only.
 */
final class AnswerFile implements AutoCloseable {
    private static final String UNFINISHED = ".unfinished";

    private final Path output;
    private final LineJournal journal;
    private final SortedMap<String, AnswerCount> counts = new TreeMap<>();

    private AnswerFile(Path output, LineJournal journal) {
        this.output = output;
        this.journal = journal;
    }

    /** The question of answers that were begun there. */
    static Optional<AnswerQuestion> begun(Path output) {
        Path file = unfinished(output);
        if (!Files.exists(file)) {
            return Optional.empty();
        }

        if (Files.isDirectory(file)) {
            throw foreign(file, null);
        }

        try (BufferedReader lines = Files.newBufferedReader(file)) {
            return Optional.ofNullable(lines.readLine()).map(AnswerQuestionJson::read);
        } catch (CharacterCodingException | BadInputException e) {
            throw foreign(file, e);
        } catch (IOException e) {
            throw new UncheckedIOException("Failed to read " + file, e);
        }
    }

    private static BadInputException foreign(Path file, @Nullable Exception cause) {
        return new BadInputException(
                "--output: Cannot go on with %s: expected answers that were begun, with their question in the first line, found another text or folder. Choose another --output, or move it away"
                        .formatted(file),
                cause);
    }

    /** Begins with the answers to {@code question}, or goes on with them. */
    static AnswerFile open(Path output, AnswerQuestion question) {
        begun(output)
                .map(question::differences)
                .filter(found -> !found.isEmpty())
                .ifPresent(found -> {
                    throw new BadInputException(
                            "--output: Cannot go on with %s: expected answers to the same question, found others: %s. Choose another --output, or remove that file"
                                    .formatted(unfinished(output), String.join("; ", found)));
                });
        try {
            AnswerFile file = new AnswerFile(output, LineJournal.open(unfinished(output)));
            try {
                file.begin(question);
                return file;
            } catch (IOException | RuntimeException e) {
                file.journal.close();
                throw e;
            }
        } catch (IOException e) {
            throw new UncheckedIOException("Failed to open " + unfinished(output), e);
        }
    }

    private void begin(AnswerQuestion question) throws IOException {
        try (BufferedReader lines = journal.lines()) {
            if (lines.readLine() == null) {
                journal.append(List.of(AnswerQuestionJson.write(question)));
                return;
            }

            for (String line = lines.readLine(); line != null; line = lines.readLine()) {
                SamplesJson.count(line, counts);
            }
        }
    }

    private static Path unfinished(Path output) {
        return output.resolveSibling(output.getFileName() + UNFINISHED);
    }

    /** The answers so far. */
    AnswerCount count() {
        return counts.values().stream().reduce(new AnswerCount(0, 0), AnswerCount::plus);
    }

    /** Those of each adapter by its name, which is empty for the one without. */
    SortedMap<String, AnswerCount> counts() {
        return Collections.unmodifiableSortedMap(counts);
    }

    /** Adds answers as lines. */
    void add(List<String> lines) {
        try {
            journal.append(lines);
        } catch (IOException e) {
            throw new UncheckedIOException("Failed to write " + unfinished(output), e);
        }

        lines.forEach(line -> SamplesJson.count(line, counts));
    }

    /** Makes the file of all answers. */
    void publish() {
        try (BufferedReader lines = journal.lines()) {
            lines.readLine(); // the question
            LocalFiles.create(output, lines.lines()::iterator);
            journal.remove();
        } catch (IOException e) {
            throw new UncheckedIOException("Failed to write " + output, e);
        }
    }

    @Override
    public void close() {
        try {
            journal.close();
        } catch (IOException e) {
            throw new UncheckedIOException("Failed to close " + unfinished(output), e);
        }
    }
}
