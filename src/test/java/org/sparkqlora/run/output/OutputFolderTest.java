package org.sparkqlora.run.output;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.sparkqlora.spark.cluster.Location;

class OutputFolderTest {
    @TempDir
    Path folder;

    private Path output;

    @BeforeEach
    void nameOutput() {
        output = folder.resolve("runs/a");
    }

    @Test
    void closingTakesAwayWhatThisProcessMade() throws IOException {
        try (OutputFolder opened = OutputFolder.open(Location.of(output))) {
            assertThat(opened.noteFolder("prepared")).isTrue();
            Path rows = Files.createDirectory(output.resolve("prepared")).resolve("rows.bin");
            opened.noteFile(Location.of(Files.writeString(rows, "rows")));
        }

        assertThat(output.getParent()).doesNotExist();
    }

    @Test
    void twoRunsBelowOneMissingParentKeepWhatTheOtherMade() throws IOException {
        Path other = folder.resolve("runs/b/adapter");
        try (OutputFolder opened = OutputFolder.open(Location.of(output))) {
            assertThat(opened.location().exists()).isTrue();
            Files.createDirectories(other);
            Files.writeString(other.resolve("adapter_config.json"), "{}");
        }

        assertThat(output).doesNotExist();
        assertThat(other.resolve("adapter_config.json")).exists();
    }

    @Test
    void aFileThatSomebodyElsePutThereStays() throws IOException {
        try (OutputFolder opened = OutputFolder.open(Location.of(output))) {
            Files.writeString(output.resolve("notes.txt"), "mine");
            assertThat(opened.noteFolder("prepared")).isTrue();
            Files.writeString(Files.createDirectory(output.resolve("prepared")).resolve("notes.txt"), "mine too");
        }

        assertThat(output.resolve("notes.txt")).exists();
        assertThat(output.resolve("prepared/notes.txt")).exists();
    }

    @Test
    void aFolderThatIsThereAlreadyIsNotTakenAway() throws IOException {
        Files.createDirectories(output.resolve("prepared"));
        try (OutputFolder opened = OutputFolder.open(Location.of(output))) {
            assertThat(opened.noteFolder("prepared")).isFalse();
        }

        assertThat(output.resolve("prepared")).exists();
    }

    @Test
    void nothingIsTakenFromADriverThatHasBegunThereInTheMeantime() throws IOException {
        Path rows = output.resolve("prepared/rows.bin");
        try (OutputFolder opened = OutputFolder.open(Location.of(output))) {
            opened.noteFolder("prepared");
            Files.createDirectory(rows.getParent());
            opened.noteFile(Location.of(Files.writeString(rows, "rows")));
            Files.createDirectories(output.resolve("checkpoints"));
            Files.writeString(output.resolve("checkpoints/attempt-1"), "other");
        }

        assertThat(rows).exists();
    }

    @Test
    void checkpointsThatNobodyHasClaimedAreOfNoOtherDriver() throws IOException {
        Files.createDirectories(output.resolve("checkpoints"));
        Path rows = output.resolve("prepared/rows.bin");
        try (OutputFolder opened = OutputFolder.open(Location.of(output))) {
            opened.noteFolder("prepared");
            Files.createDirectory(rows.getParent());
            opened.noteFile(Location.of(Files.writeString(rows, "rows")));
        }

        assertThat(rows.getParent()).doesNotExist();
        assertThat(output.resolve("checkpoints")).exists();
    }
}
