package org.sparkqlora.storage;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.sparkqlora.input.BadInputException;

class LineJournalTest {
    @TempDir
    private Path folder;

    @ParameterizedTest
    @ValueSource(ints = {1, 100, 1 << 16, 200_000})
    void goesOnBehindTheLastWholeLine(int unfinished) throws IOException {
        Path file = folder.resolve("below/lines");
        try (LineJournal journal = LineJournal.open(file)) {
            journal.append(List.of("one", "zwei ä"));
        }

        Files.writeString(file, Files.readString(file) + "x".repeat(unfinished));
        try (LineJournal journal = LineJournal.open(file)) {
            journal.append(List.of("three"));
        }

        assertThat(file).hasContent("one\nzwei ä\nthree\n");
    }

    @Test
    void aFileWithoutALineEndIsEmpty() throws IOException {
        Path file = Files.writeString(folder.resolve("lines"), "x".repeat(100_000));

        LineJournal.open(file).close();

        assertThat(file).isEmptyFile();
    }

    @Test
    void onlyOneWrites() throws IOException {
        Path file = folder.resolve("lines");
        try (LineJournal journal = LineJournal.open(file)) {
            assertThatThrownBy(() -> LineJournal.open(file))
                    .isInstanceOf(BadInputException.class)
                    .hasMessage("Cannot write %s: expected to be alone, found another process that writes it", file);
            journal.append(List.of("one"));
        }

        LineJournal.open(file).close();
        assertThat(file).hasContent("one\n");
    }
}
