package org.sparkqlora.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import org.apache.hadoop.fs.FSDataInputStream;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.FilterFileSystem;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.sparkqlora.checkpoint.FaultyFileSystem.Fault;
import org.sparkqlora.storage.LocalFiles;

/** Every operation of a publication, and of a look for the newest checkpoint, in turn is the one that goes wrong. */
class CheckpointFaultTest {
    private static final int FEWEST_OPERATIONS = 20;

    /** One without faults that does not wait for the disk, which would take most of the time here. */
    private final FileSystem files = FaultyFileSystem.at(-1, Fault.THROWS, LocalFiles.system());

    @TempDir
    private Path temporary;

    private Path folder;

    @BeforeEach
    void nameFolder() {
        folder = temporary.resolve("checkpoints");
    }

    @ParameterizedTest
    @EnumSource
    void aFaultyPublicationLosesNothingAndNeverClaimsWhatIsNotThere(Fault fault) throws IOException {
        int operation = 0;
        while (happensWhilePublishing(fault, operation)) {
            CheckpointStore next = store(files, "next");
            next.publish(4, Map.of(), TestState.of(4));
            TestState.assertIn(next.newestGood().orElseThrow(), 4);
            operation++;
        }

        assertThat(operation).isGreaterThan(FEWEST_OPERATIONS);
    }

    private boolean happensWhilePublishing(Fault fault, int operation) throws IOException {
        folder = temporary.resolve("at-" + operation);
        CheckpointStore old = store(files, "old");
        old.publish(1, Map.of(), TestState.of(1));
        old.publish(2, Map.of(), TestState.of(2));
        FaultyFileSystem faulty = FaultyFileSystem.at(operation, fault, files);
        boolean published = publishes(store(faulty, "new"));

        Checkpoint left = store(files, "reader").newestGood().orElseThrow();
        assertThat(left.step()).as("%s at operation %d", fault, operation).isBetween(published ? 3L : 2L, 3L);
        TestState.assertIn(left, left.step());
        return faulty.happened();
    }

    private static boolean publishes(CheckpointStore store) {
        try {
            store.publish(3, Map.of(), TestState.of(3));
            return true;
        } catch (UncheckedIOException e) {
            assertThat(e).hasMessageMatching("Failed to (write checkpoint|claim checkpoint folder) .*");
            return false;
        }
    }

    @ParameterizedTest
    @EnumSource
    void aFaultyLookFindsTheNewestCheckpointOrFailsAndTakesTheOneBeforeOnlyWhereTheStoreSaysItIsNotThere(Fault fault)
            throws IOException {
        CheckpointStore store = store(files, "a");
        store.publish(1, Map.of(), TestState.of(1));
        store.publish(2, Map.of(), TestState.of(2));

        FaultyFileSystem faulty;
        int operation = 0;
        do {
            faulty = FaultyFileSystem.at(operation, fault, files);
            assertFindsGoodOrFails(faulty, fault == Fault.LIES || fault == Fault.DOES_HALF ? 1 : 2);
            operation++;
        } while (faulty.happened());
    }

    private void assertFindsGoodOrFails(FileSystem faulty, long oldest) throws IOException {
        Optional<Checkpoint> found;
        try {
            found = store(faulty, "reader").newestGood();
        } catch (UncheckedIOException e) {
            assertThat(e)
                    .hasMessageMatching(
                            "Failed to list checkpoints in .*|Failed to read checkpoint step-2-\\S+ of .*, which may be good: no older one is taken for it");
            return;
        }

        assertThat(found).isPresent();
        assertThat(found.get().step()).isBetween(oldest, 2L);
        TestState.assertIn(
                new Checkpoint(files, found.get().folder(), commit(found.get()), List.of()),
                found.get().step());
    }

    /** A store that loses the connection in the middle of a file says nothing about the file. */
    @ParameterizedTest(name = "in {0}")
    @ValueSource(strings = {"state.bin", "step-2-a-1-1.json"})
    void aConnectionLostWhileReadingTheNewestCheckpointIsNoDamage(String file) throws IOException {
        CheckpointStore store = store(files, "a");
        store.publish(1, Map.of(), TestState.of(1));
        store.publish(2, Map.of(), TestState.of(2));
        org.apache.hadoop.fs.Path stumblingFolder = new org.apache.hadoop.fs.Path(StumblingStore.path(folder));
        CheckpointStore stumbling = new CheckpointStore(StumblingStore.open(file, 1), stumblingFolder, 2, "reader");

        assertThatThrownBy(stumbling::newestGood)
                .isInstanceOf(UncheckedIOException.class)
                .hasMessage(
                        "Failed to read checkpoint step-2-a-1-1 of %s, which may be good: no older one is taken for it",
                        stumblingFolder)
                .hasRootCauseMessage("connection reset");
        TestState.assertIn(stumbling.newestGood().orElseThrow(), 2);
    }

    @Test
    void aCheckpointThatThisUserMayNotReadIsNoDamage() throws IOException {
        CheckpointStore store = store(files, "a");
        store.publish(1, Map.of(), TestState.of(1));
        store.publish(2, Map.of(), TestState.of(2));
        FileSystem closed = new FilterFileSystem(files) {
            @Override
            public FSDataInputStream open(org.apache.hadoop.fs.Path file, int bufferSize) throws IOException {
                throw new FileNotFoundException(file + " (Permission denied)"); // as the local file system says it
            }
        };

        assertThatThrownBy(() -> store(closed, "reader").newestGood())
                .isInstanceOf(UncheckedIOException.class)
                .cause()
                .hasMessage(
                        "Failed to open %s, which is there. May this user read it?",
                        LocalFiles.path(folder.resolve("step-2-a-1-1.json")));
    }

    /** Before every operation of a publication in turn another driver comes, claims the folder and publishes. */
    @Test
    void ofTwoDriversTheLastToClaimWinsWheneverTheOtherComes() throws IOException {
        int operation = 0;
        while (secondDriverComesAt(operation)) {
            boolean cameBeforeTheClaim =
                    Files.readString(folder.resolve("attempt-3")).equals("first");
            TestState.assertIn(store(files, "reader").newestGood().orElseThrow(), cameBeforeTheClaim ? 3 : 2);
            operation++;
        }

        assertThat(operation).isGreaterThan(FEWEST_OPERATIONS);
    }

    private boolean secondDriverComesAt(int operation) {
        folder = temporary.resolve("between-" + operation);
        store(files, "before").publish(1, Map.of(), TestState.of(1));
        Runnable comes = () -> store(files, "second").publish(2, Map.of(), TestState.of(2));
        FaultyFileSystem interrupted = FaultyFileSystem.interruptedAt(operation, comes, files);
        try {
            store(interrupted, "first").publish(3, Map.of(), TestState.of(3));
        } catch (TakenOverException e) {
            assertThat(e).hasMessageEndingWith("Another driver runs this training.");
        } catch (UncheckedIOException e) {
            assertThat(e).hasMessageStartingWith("Failed to write checkpoint "); // its folder was swept away
        }

        return interrupted.happened();
    }

    @Test
    void aStateThatIsLostWhileItIsWrittenLeavesNoHalfCheckpoint() {
        assertThatThrownBy(() -> store(files, "a").publish(7, Map.of(), out -> {
                    out.write(new byte[1 << 20]);
                    throw new IllegalStateException("the State is lost");
                }))
                .hasMessage("the State is lost");

        assertThat(folder.toFile().list()).containsExactly("attempt-1");
    }

    /** An object store lets two drivers create one object: the last to write it owns the number. */
    @Test
    void stopsADriverWhoseClaimWasOverwritten() throws IOException {
        CheckpointStore first = store(files, "first");
        first.publish(1, Map.of(), TestState.of(1));
        Files.writeString(folder.resolve("attempt-1"), "second");

        assertThatThrownBy(() -> first.publish(2, Map.of(), TestState.of(2)))
                .isInstanceOf(TakenOverException.class)
                .hasMessage(
                        "Cannot publish step 2 to %s: expected attempt 1 to own it, found run second under this number. Another driver runs this training.",
                        LocalFiles.path(folder));
    }

    @ParameterizedTest(name = "{0} bytes fit, told as {1}")
    @CsvSource({
        "0, EXCEPTION",
        "7, EXCEPTION",
        "8, ERROR",
        "1000, ERROR",
        "65536, EXCEPTION",
        "149999, EXCEPTION",
        "149999, ERROR"
    })
    void aFullDiskLeavesTheOldCheckpointAndNoHalfOne(int bytes, FullDisk.Word word) throws IOException {
        store(files, "old").publish(1, Map.of(), TestState.of(1));
        FileSystem disk = FullDisk.open(folder, FullDisk.used(folder) + bytes, word);
        CheckpointStore full =
                new CheckpointStore(disk, new org.apache.hadoop.fs.Path(FullDisk.path(folder)), 2, "run-full");

        assertThatThrownBy(() -> full.publish(2, Map.of(), TestState.of(2)))
                .isInstanceOf(UncheckedIOException.class)
                .rootCause()
                .hasMessage("No space left on device");
        TestState.assertIn(store(files, "reader").newestGood().orElseThrow(), 1);
        try (Stream<Path> left = Files.list(folder)) {
            assertThat(left.map(path -> path.getFileName().toString()))
                    .filteredOn(name -> name.startsWith("step-2"))
                    .isEmpty();
        }
    }

    private CheckpointStore store(FileSystem system, String run) {
        return new CheckpointStore(system, LocalFiles.path(folder), 2, run);
    }

    private Commit commit(Checkpoint checkpoint) throws IOException {
        String name = checkpoint.folder().getName() + CheckpointName.COMMIT;
        return CommitJson.parse(name, Files.readString(folder.resolve(name)));
    }
}
