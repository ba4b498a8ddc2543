package org.sparkqlora.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.FilterOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.stream.LongStream;
import java.util.stream.Stream;
import org.apache.hadoop.fs.FSDataOutputStream;
import org.apache.hadoop.fs.FileStatus;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.FilterFileSystem;
import org.apache.hadoop.fs.permission.FsPermission;
import org.apache.hadoop.util.Progressable;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.sparkqlora.input.BadInputException;
import org.sparkqlora.storage.LocalFiles;
import org.sparkqlora.storage.Sha256;

class CheckpointStoreTest {
    private final FileSystem files = LocalFiles.system();

    @TempDir
    private Path temporary;

    private Path folder;

    static LongStream seeds() {
        return LongStream.range(0, 20);
    }

    @BeforeEach
    void nameFolder() {
        folder = temporary.resolve("checkpoints");
    }

    @Test
    void hasNothingBeforeTheFirstCheckpoint() {
        assertThat(store("a", 2).newestGood()).isEmpty();
    }

    @Test
    void readsTheNewestCheckpointBack() throws IOException {
        CheckpointStore store = store("a", 2);
        store.publish(9, Map.of("plan", "9f"), TestState.of(9));
        store.publish(10, Map.of("plan", "9f", "note", "näher"), TestState.of(10));

        Checkpoint checkpoint = store("b", 2).newestGood().orElseThrow();

        assertThat(checkpoint.step()).isEqualTo(10);
        assertThat(checkpoint.facts()).isEqualTo(Map.of("plan", "9f", "note", "näher"));
        assertThat(checkpoint.skipped()).isEmpty();
        assertThat(checkpoint.folder().getName()).isEqualTo("step-10-a-1-1");
        TestState.assertIn(checkpoint, 10);
    }

    @Test
    void keepsTheNewestAndRemovesTheOthers() throws IOException {
        CheckpointStore store = store("a", 2);
        for (int step = 1; step <= 5; step++) {
            store.publish(step, Map.of(), TestState.of(step));
        }

        assertThat(names())
                .containsExactly("attempt-1", "step-4-a-1-3", "step-4-a-1-3.json", "step-5-a-1-4", "step-5-a-1-4.json");
    }

    @Test
    void keepsTwoGoodOnesWhenOneIsDamaged() throws IOException {
        CheckpointStore first = store("a", 2);
        first.publish(1, Map.of(), TestState.of(1));
        first.publish(2, Map.of(), TestState.of(2));
        Files.delete(folder.resolve("step-2-a-1-1/state.bin"));

        store("b", 2).publish(3, Map.of(), TestState.of(3));

        assertThat(names()).contains("step-3-b-2-0.json", "step-2-a-1-1.json", "step-1-a-1-0.json", "step-1-a-1-0");
    }

    /** Every change of a publication in turn is the one at which the process dies. */
    @Test
    void keepsTheOldOneReadableWhereverAPublicationIsKilled() throws IOException {
        int changes = 0;
        while (!publishesBeforeItDies(changes)) {
            Checkpoint left = store("reader", 2).newestGood().orElseThrow();
            assertThat(left.step()).as("after a kill at change %d", changes).isBetween(2L, 3L);
            TestState.assertIn(left, left.step());

            CheckpointStore next = store("next", 2);
            next.publish(3, Map.of(), TestState.of(3));
            TestState.assertIn(next.newestGood().orElseThrow(), 3);
            List<String> names = names();
            assertThat(names)
                    .filteredOn(name -> name.startsWith("step-") && !name.endsWith(".json"))
                    .allMatch(name -> names.contains(name + ".json"), "has its object");
            changes++;
        }

        assertThat(changes).isGreaterThan(15);
        TestState.assertIn(store("reader", 2).newestGood().orElseThrow(), 3);
    }

    private boolean publishesBeforeItDies(int changes) {
        folder = temporary.resolve("killed-at-" + changes);
        CheckpointStore store = store("old", 2);
        store.publish(1, Map.of(), TestState.of(1));
        store.publish(2, Map.of(), TestState.of(2));
        DyingFileSystem dying = new DyingFileSystem(files, changes);
        try {
            new CheckpointStore(dying, LocalFiles.path(folder), 2, "new").publish(3, Map.of(), TestState.of(3));
        } catch (UncheckedIOException e) {
            assertThat(e).rootCause().hasMessage("killed");
        }

        return !dying.dead();
    }

    @Test
    void aKilledFirstPublicationLeavesACheckpointOrNoneAndWhatItBeganIsRemoved() throws IOException {
        int changes = 0;
        while (!publishesFirstBeforeItDies(changes)) {
            CheckpointStore next = store("next", 2);
            Optional<Checkpoint> left = next.newestGood();
            if (left.isPresent()) {
                TestState.assertIn(left.get(), 1);
            }

            next.publish(2, Map.of(), TestState.of(2));
            try (Stream<Path> names = Files.list(folder)) {
                assertThat(names.map(name -> name.getFileName().toString()))
                        .allMatch(name -> name.startsWith("step-") || name.startsWith("attempt-"));
            }

            changes++;
        }

        assertThat(changes).isGreaterThan(10);
    }

    private boolean publishesFirstBeforeItDies(int changes) {
        folder = temporary.resolve("first-killed-at-" + changes);
        DyingFileSystem dying = new DyingFileSystem(files, changes);
        try {
            new CheckpointStore(dying, LocalFiles.path(folder), 2, "new").publish(1, Map.of(), TestState.of(1));
        } catch (UncheckedIOException e) {
            assertThat(e).rootCause().hasMessage("killed");
        }

        return !dying.dead();
    }

    @ParameterizedTest(name = "seed {0}")
    @MethodSource("seeds")
    void passesOverACheckpointWithAFlippedBit(long seed) throws IOException {
        CheckpointStore store = store("a", 2);
        store.publish(1, Map.of("plan", "9f"), TestState.of(1));
        store.publish(2, Map.of("plan", "9f"), TestState.of(2));
        SplittableRandom random = new SplittableRandom(seed);
        Path damaged = folder.resolve(seed % 2 == 0 ? "step-2-a-1-1/state.bin" : "step-2-a-1-1.json");
        byte[] bytes = Files.readAllBytes(damaged);
        bytes[random.nextInt(bytes.length)] ^= (byte) (1 << random.nextInt(8));
        Files.write(damaged, bytes);

        // white space between the values of the object means nothing, so a flip there may leave it as it was
        Checkpoint checkpoint = store("b", 2).newestGood().orElseThrow();

        TestState.assertIn(checkpoint, checkpoint.step());
        assertThat(checkpoint.facts()).isEqualTo(Map.of("plan", "9f"));
        if (seed % 2 == 0) {
            assertThat(checkpoint.step()).isEqualTo(1);
            assertThat(checkpoint.skipped()).singleElement().asString().startsWith("step-2-a-1-1: Cannot trust ");
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1, 100, 300})
    void passesOverACheckpointWhoseObjectIsCutOff(int length) throws IOException {
        CheckpointStore store = store("a", 2);
        store.publish(1, Map.of(), TestState.of(1));
        store.publish(2, Map.of(), TestState.of(2));
        Path object = folder.resolve("step-2-a-1-1.json");
        Files.write(object, Arrays.copyOf(Files.readAllBytes(object), length));

        Checkpoint checkpoint = store("b", 2).newestGood().orElseThrow();

        assertThat(checkpoint.step()).isEqualTo(1);
        assertThat(checkpoint.skipped())
                .singleElement()
                .asString()
                .startsWith("step-2-a-1-1: Cannot read %s: expected a JSON object".formatted(path(object)));
    }

    @Test
    void saysWhyItTrustsNone() throws IOException {
        CheckpointStore store = store("a", 2);
        store.publish(1, Map.of(), TestState.of(1));
        store.publish(2, Map.of(), TestState.of(2));
        Path cutOff = folder.resolve("step-1-a-1-0/state.bin");
        Path changed = folder.resolve("step-2-a-1-1/state.bin");
        Files.write(cutOff, new byte[10]);
        Files.write(changed, new byte[TestState.NOISE_BYTES + 8]);

        assertThatThrownBy(() -> store("b", 2).newestGood())
                .isInstanceOf(BadInputException.class)
                .hasMessage("""
                        Cannot resume from %s: none of its 2 checkpoints can be trusted
                          step-2-a-1-1: Cannot trust %s: expected SHA-256 %s, found %s
                          step-1-a-1-0: Cannot trust %s: expected 200008 bytes, found 10""".formatted(
                                path(folder),
                                path(changed),
                                hash(2),
                                Sha256.hex(new byte[TestState.NOISE_BYTES + 8]),
                                path(cutOff)));
    }

    @Test
    void doesNotTrustAnObjectUnderAnotherName() throws IOException {
        CheckpointStore store = store("a", 2);
        store.publish(1, Map.of(), TestState.of(1));
        Path copy = folder.resolve("step-7-a-1-0.json");
        Files.copy(folder.resolve("step-1-a-1-0.json"), copy);

        assertThat(store("b", 2).newestGood().orElseThrow().skipped())
                .containsExactly("step-7-a-1-0: Cannot trust %s: expected it to name step-7-a-1-0, found step-1-a-1-0"
                        .formatted(path(copy)));
    }

    @Test
    void stopsADriverWhoseFolderWasTakenOver() {
        CheckpointStore old = store("old", 2);
        old.publish(1, Map.of(), TestState.of(1));
        CheckpointStore young = store("young", 2);
        young.claim();

        assertThatThrownBy(() -> old.publish(2, Map.of(), TestState.of(2)))
                .isInstanceOf(TakenOverException.class)
                .hasMessage(
                        "Cannot publish step 2 to %s: expected attempt 1 to own it, found attempt 2. Another driver runs this training.",
                        path(folder));
        assertThat(young.newestGood().orElseThrow().step()).isEqualTo(1);
    }

    @Test
    void stopsADriverWhoseFolderWasTakenOverWhileItWrote() {
        CheckpointStore old = store("old", 2);
        CheckpointStore young = store("young", 2);

        assertThatThrownBy(() -> old.publish(2, Map.of(), out -> young.claim()))
                .isInstanceOf(TakenOverException.class)
                .hasMessageContaining("expected attempt 1 to own it, found attempt 2");
        assertThat(young.newestGood()).isEmpty();
    }

    @Test
    void prefersALaterClaimToALargerStep() {
        store("old", 2).publish(100, Map.of(), TestState.of(100));
        CheckpointStore anew = store("anew", 2);
        anew.publish(10, Map.of(), TestState.of(10));

        assertThat(anew.newestGood().orElseThrow().step()).isEqualTo(10);
    }

    @Test
    void takesTheNextNumberWhenAnotherDriverClaimsAtTheSameTime() throws IOException {
        store("a", 2).claim();
        FileSystem stale = new FilterFileSystem(files) {
            private boolean fresh;

            @Override
            public FileStatus[] listStatus(org.apache.hadoop.fs.Path path) throws IOException {
                FileStatus[] found = fresh ? super.listStatus(path) : new FileStatus[0];
                fresh = true;
                return found;
            }
        };

        new CheckpointStore(stale, LocalFiles.path(folder), 2, "b").claim();

        assertThat(folder.resolve("attempt-1")).hasContent("a");
        assertThat(folder.resolve("attempt-2")).hasContent("b");
    }

    @Test
    void readsTheObjectWhenItIsUnknownWhetherItWasWritten() throws IOException {
        FileSystem forgetful = new FilterFileSystem(files) {
            @Override
            public FSDataOutputStream create(
                    org.apache.hadoop.fs.Path file,
                    FsPermission permission,
                    boolean overwrite,
                    int bufferSize,
                    short replication,
                    long blockSize,
                    Progressable progress)
                    throws IOException {
                FSDataOutputStream out =
                        super.create(file, permission, overwrite, bufferSize, replication, blockSize, progress);
                return file.getName().endsWith(".json") ? new FSDataOutputStream(new LostReply(out), null) : out;
            }
        };

        new CheckpointStore(forgetful, LocalFiles.path(folder), 2, "a").publish(1, Map.of(), TestState.of(1));

        TestState.assertIn(store("b", 2).newestGood().orElseThrow(), 1);
    }

    @Test
    void refusesToKeepFewerThanTwo() {
        assertThatThrownBy(() -> store("a", 1))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("Cannot keep 1 checkpoints: expected at least 2, since the newest may be damaged");
    }

    @Test
    void saysWhichCheckpointCouldNotBeWritten() {
        assertThatThrownBy(() -> store("a", 2).publish(7, Map.of(), out -> {
                    throw new IOException("no space left");
                }))
                .isInstanceOf(UncheckedIOException.class)
                .hasMessage("Failed to write checkpoint step-7-a-1-0 of %s; those before it are kept", path(folder))
                .rootCause()
                .hasMessage("no space left");
    }

    @Test
    void saysThatTheFolderCouldNotBeClaimed() throws IOException {
        Files.createFile(folder);

        assertThatThrownBy(() -> store("a", 2).claim())
                .isInstanceOf(UncheckedIOException.class)
                .hasMessage("Failed to claim checkpoint folder %s", path(folder));
    }

    @Test
    void refusesObjectsWithUnknownKeysAndOfOtherFormats() {
        String text = CommitJson.write(new Commit(1, "a", 1, "f", Map.of(), List.of()));

        assertThatThrownBy(() -> CommitJson.parse("x.json", text.replace("\"run\"", "\"extra\": 1, \"run\"")))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage(
                        "Cannot read x.json: expected the keys [attempt, facts, files, folder, format, run, sha256, step], found also [extra]");
        assertThatThrownBy(() -> CommitJson.parse("x.json", text.replace("\"format\": 1", "\"format\": 2")))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("Cannot read x.json: expected 1 for format, found 2");
        assertThatThrownBy(() -> CommitJson.parse("x.json", text.replace("\"step\": 1", "\"step\": 2")))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageStartingWith("Cannot trust x.json: expected its own SHA-256 to be ");
    }

    private CheckpointStore store(String run, int keep) {
        return new CheckpointStore(files, LocalFiles.path(folder), keep, run);
    }

    private static String hash(long step) {
        byte[] whole = new byte[TestState.NOISE_BYTES + 8];
        whole[7] = (byte) step;
        System.arraycopy(TestState.noise(step), 0, whole, 8, TestState.NOISE_BYTES);
        return Sha256.hex(whole);
    }

    private List<String> names() throws IOException {
        try (Stream<Path> paths = Files.list(folder)) {
            return paths.map(path -> path.getFileName().toString()).sorted().toList();
        }
    }

    private static String path(Path path) {
        return LocalFiles.path(path).toString();
    }

    /** Writes everything, then fails to say so. */
    private static final class LostReply extends FilterOutputStream {
        private LostReply(OutputStream out) {
            super(out);
        }

        @Override
        public void close() throws IOException {
            super.close();
            throw new IOException("connection reset");
        }
    }
}
