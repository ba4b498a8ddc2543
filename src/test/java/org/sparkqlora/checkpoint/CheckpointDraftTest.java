package org.sparkqlora.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayOutputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileSystem;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.sparkqlora.storage.BlobWriter;
import org.sparkqlora.storage.LocalFiles;
import org.sparkqlora.storage.StoredFile;

/** A checkpoint whose state several write, each a part. */
class CheckpointDraftTest {
    private static final int PARTS = 3;
    private static final Configuration CONFIGURATION = new Configuration(false);

    private final FileSystem files = LocalFiles.system();

    @TempDir
    private Path temporary;

    private Path folder;

    @BeforeEach
    void nameFolder() {
        folder = temporary.resolve("checkpoints");
    }

    @Test
    void partsAreReadAsOneStateInTheirOrderWhateverOrderTheyWereWrittenIn() throws IOException {
        CheckpointStore store = store("a");
        CheckpointDraft draft = store.draft(7);
        StoredFile last = write(draft, 7, 2);
        StoredFile first = write(draft, 7, 0);
        List<StoredFile> parts = List.of(first, write(draft, 7, 1), last);

        assertThat(store.has(draft, parts)).isTrue();
        store.publish(draft, Map.of("plan", "9f"), parts);

        Checkpoint checkpoint = store("b").newestGood().orElseThrow();
        TestState.assertIn(checkpoint, 7);
        assertThat(checkpoint.facts()).isEqualTo(Map.of("plan", "9f"));
        assertThat(parts)
                .extracting(StoredFile::name)
                .allMatch(name -> name.matches("state-00[0-2]-[0-9a-f-]{36}\\.bin"));
    }

    @Test
    void isNoCheckpointBeforeItIsPublished() throws IOException {
        CheckpointStore store = store("a");
        store.publish(6, Map.of(), TestState.of(6));
        writeAll(store.draft(7), 7);

        TestState.assertIn(store("b").newestGood().orElseThrow(), 6);
    }

    @Test
    void ofTwoAttemptsAtAPartOneIsKept() throws IOException {
        CheckpointStore store = store("a");
        CheckpointDraft draft = store.draft(7);
        write(draft, 7, 1);
        List<StoredFile> parts = writeAll(draft, 7);
        Path others = Files.writeString(folder.resolve("step-7-a-1-0/notes.txt"), "of somebody else");
        store.publish(draft, Map.of(), parts);

        assertThat(names(folder.resolve("step-7-a-1-0")))
                .containsExactlyInAnyOrderElementsOf(
                        Stream.concat(parts.stream().map(StoredFile::name), Stream.of("notes.txt"))
                                .toList());
        assertThat(others).exists();
        TestState.assertIn(store("b").newestGood().orElseThrow(), 7);
    }

    @Test
    void aPartThatIsNotWhereTheStoreReadsIsMissed() throws IOException {
        CheckpointStore store = store("a");
        CheckpointDraft draft = store.draft(7);
        List<StoredFile> parts = writeAll(draft, 7);
        Path part = folder.resolve("step-7-a-1-0").resolve(parts.get(1).name());

        Files.write(part, new byte[10]);
        assertThat(store.has(draft, parts)).isFalse();
        Files.delete(part);
        assertThat(store.has(draft, parts)).isFalse();
    }

    @Test
    void aDamagedPartIsADamagedCheckpoint() throws IOException {
        CheckpointStore store = store("a");
        store.publish(6, Map.of(), TestState.of(6));
        CheckpointDraft draft = store.draft(7);
        List<StoredFile> parts = writeAll(draft, 7);
        store.publish(draft, Map.of(), parts);
        Path part = folder.resolve("step-7-a-1-1").resolve(parts.get(2).name());
        byte[] bytes = Files.readAllBytes(part);
        bytes[5] ^= 1;
        Files.write(part, bytes);

        Checkpoint checkpoint = store("b").newestGood().orElseThrow();
        TestState.assertIn(checkpoint, 6);
        assertThat(checkpoint.skipped()).singleElement().asString().contains("expected SHA-256");
    }

    @Test
    void goesWithItsPartsWhenItIsOld() throws IOException {
        CheckpointStore store = store("a");
        publishInParts(store, 1);
        publishInParts(store, 2);
        publishInParts(store, 3);

        assertThat(names(folder))
                .containsExactly("attempt-1", "step-2-a-1-1", "step-2-a-1-1.json", "step-3-a-1-2", "step-3-a-1-2.json");
    }

    /** Also those of a process that writes on when the checkpoint is removed or was given up. */
    @Test
    void partsThatCameTooLateGoWithTheNextCheckpointOfAnyWriter() throws IOException {
        CheckpointStore store = store("a");
        CheckpointDraft old = store.draft(1);
        store.publish(old, Map.of(), writeAll(old, 1));
        CheckpointDraft givenUp = store.draft(2);
        write(givenUp, 2, 0);
        store.publish(3, Map.of(), TestState.of(3));
        store.publish(4, Map.of(), TestState.of(4));
        write(old, 1, 2);
        write(givenUp, 2, 1);
        assertThat(names(folder)).contains("step-1-a-1-0", "step-2-a-1-1");

        store.publish(5, Map.of(), TestState.of(5));
        assertThat(names(folder)).doesNotContain("step-1-a-1-0", "step-2-a-1-1");

        write(givenUp, 2, 1);
        store("b").publish(6, Map.of(), TestState.of(6));
        assertThat(names(folder)).doesNotContain("step-2-a-1-1");
    }

    @Test
    void aProcessThatDoesNotSeeTheClaimWritesNothing() throws IOException {
        CheckpointDraft draft = store("a").draft(7);
        Files.delete(folder.resolve("attempt-1"));

        assertThatThrownBy(() -> write(draft, 7, 0))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("attempt-1");
        assertThat(names(folder)).isEmpty();

        Files.writeString(folder.resolve("attempt-1"), "b");
        assertThatThrownBy(() -> write(draft, 7, 0))
                .isInstanceOf(IOException.class)
                .hasMessage("Cannot write to %s: expected %s to be of run a, found b", draft.folder(), draft.claim());
        assertThat(names(folder)).containsExactly("attempt-1");
    }

    @Test
    void aPartThatFailsLeavesNothing() throws IOException {
        CheckpointDraft draft = store("a").draft(7);

        assertThatThrownBy(() -> draft.write(CONFIGURATION, 0, out -> {
                    out.write(new byte[1 << 20]);
                    throw new IllegalStateException("block lost");
                }))
                .isInstanceOf(IllegalStateException.class)
                .hasMessage("block lost");
        assertThat(names(folder.resolve("step-7-a-1-0"))).isEmpty();
    }

    @Test
    void ofADriverThatWasTakenOverItIsNeverPublished() throws IOException {
        CheckpointStore first = store("a");
        CheckpointDraft draft = first.draft(7);
        List<StoredFile> parts = writeAll(draft, 7);
        store("b").publish(3, Map.of(), TestState.of(3));

        assertThatThrownBy(() -> first.publish(draft, Map.of(), parts))
                .isInstanceOf(TakenOverException.class)
                .hasMessage(
                        "Cannot publish step 7 to %s: expected attempt 1 to own it, found attempt 2. Another driver runs this training.",
                        LocalFiles.path(folder));
        TestState.assertIn(store("c").newestGood().orElseThrow(), 3);
        assertThat(names(folder)).doesNotContain("step-7-a-1-0");
    }

    /** Every change of a publication in turn is the one at which the driver dies. */
    @Test
    void isThereOrNotWhereverItsPublicationIsKilled() throws IOException {
        int changes = 0;
        while (!publishesBeforeItDies(changes)) {
            Checkpoint left = store("reader").newestGood().orElseThrow();
            assertThat(left.step()).as("after a kill at change %d", changes).isBetween(2L, 3L);
            TestState.assertIn(left, left.step());

            CheckpointStore next = store("next");
            publishInParts(next, 4);
            TestState.assertIn(next.newestGood().orElseThrow(), 4);
            List<String> names = names(folder);
            assertThat(names)
                    .filteredOn(name -> name.startsWith("step-") && !name.endsWith(".json"))
                    .allMatch(name -> names.contains(name + ".json"), "has its object");
            changes++;
        }

        assertThat(changes).isGreaterThan(8);
        TestState.assertIn(store("reader").newestGood().orElseThrow(), 3);
    }

    private boolean publishesBeforeItDies(int changes) throws IOException {
        folder = temporary.resolve("killed-at-" + changes);
        CheckpointStore old = store("old");
        publishInParts(old, 1);
        publishInParts(old, 2);
        DyingFileSystem dying = new DyingFileSystem(files, changes);
        try {
            publishInParts(new CheckpointStore(dying, LocalFiles.path(folder), 2, "new"), 3);
        } catch (UncheckedIOException e) {
            assertThat(e).rootCause().hasMessage("killed");
        }

        return !dying.dead();
    }

    private static void publishInParts(CheckpointStore store, long step) throws IOException {
        CheckpointDraft draft = store.draft(step);
        store.publish(draft, Map.of(), writeAll(draft, step));
    }

    private static List<StoredFile> writeAll(CheckpointDraft draft, long step) throws IOException {
        StoredFile[] parts = new StoredFile[PARTS];
        for (int part = 0; part < PARTS; part++) {
            parts[part] = write(draft, step, part);
        }

        return List.of(parts);
    }

    private static StoredFile write(CheckpointDraft draft, long step, int part) throws IOException {
        byte[] whole = bytes(TestState.of(step));
        int[] bounds = IntStream.rangeClosed(0, PARTS)
                .map(i -> whole.length * i / PARTS)
                .toArray();
        return draft.write(
                CONFIGURATION, part, out -> out.write(Arrays.copyOfRange(whole, bounds[part], bounds[part + 1])));
    }

    private static byte[] bytes(BlobWriter state) throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        state.write(new DataOutputStream(bytes));
        return bytes.toByteArray();
    }

    private CheckpointStore store(String run) {
        return new CheckpointStore(files, LocalFiles.path(folder), 2, run);
    }

    private static List<String> names(Path of) throws IOException {
        try (Stream<Path> names = Files.list(of)) {
            return names.map(name -> name.getFileName().toString()).sorted().toList();
        }
    }
}
