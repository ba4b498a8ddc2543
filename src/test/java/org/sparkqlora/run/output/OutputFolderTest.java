package org.sparkqlora.run.output;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.apache.hadoop.fs.FSDataOutputStream;
import org.apache.hadoop.fs.RawLocalFileSystem;
import org.apache.hadoop.util.Progressable;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.sparkqlora.ChildJvm;
import org.sparkqlora.input.BadInputException;
import org.sparkqlora.spark.cluster.Location;
import org.sparkqlora.storage.Unfinished;

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
    void aSignalTakesAwayTheFolderThatNothingIsIn() throws IOException, InterruptedException {
        Path told = folder.resolve("told.txt");

        Process opening = new ProcessBuilder(ChildJvm.command(List.of(), Opening.class, List.of(output.toString())))
                .redirectErrorStream(true)
                .redirectOutput(told.toFile())
                .start();

        assertThat(opening.waitFor()).as(Files.readString(told)).isZero();
        assertThat(folder.toFile().list()).containsExactly("told.txt");
    }

    /** Ends once the folder is made, as a signal makes it while Spark starts. */
    static final class Opening {
        private Opening() {}

        public static void main(String[] args) {
            OutputFolder.open(Location.parse(args[0]));
            Unfinished.removeAll();
            Runtime.getRuntime().halt(0);
        }
    }

    /** An open file without a name on the disk is "not found", whatever the reason. */
    @Test
    void aDiskWithoutRoomForAFileIsNoBadInput() {
        System.setProperty("spark.hadoop.fs.inodes.impl", NoInodes.class.getName());
        try {
            Location full = Location.parse("inodes://" + output);

            assertThatThrownBy(() -> OutputFolder.open(full))
                    .isInstanceOf(UncheckedIOException.class)
                    .hasMessage("Failed to open output folder " + full)
                    .hasRootCauseMessage("a file (No space left on device)");
        } finally {
            System.clearProperty("spark.hadoop.fs.inodes.impl");
        }

        assertThat(output.getParent()).doesNotExist();
    }

    @Test
    void aNameThatNoDiskTakesIsRefusedWithItsReason() {
        Location tooLong = Location.of(folder.resolve("n".repeat(300)));

        assertThatThrownBy(() -> OutputFolder.open(tooLong))
                .isInstanceOf(BadInputException.class)
                .hasMessage("Cannot write to %s: expected a folder that this user may write, found File name too long"
                        .formatted(tooLong));
    }

    /** Has no room for another file. */
    public static final class NoInodes extends RawLocalFileSystem {
        @Override
        public URI getUri() {
            return URI.create("inodes:///");
        }

        @Override
        public FSDataOutputStream create(
                org.apache.hadoop.fs.Path file,
                boolean overwrite,
                int bufferSize,
                short replication,
                long blockSize,
                Progressable progress)
                throws IOException {
            throw new FileNotFoundException("a file (No space left on device)");
        }
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
