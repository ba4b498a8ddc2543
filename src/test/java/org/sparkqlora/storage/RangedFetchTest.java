package org.sparkqlora.storage;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.SortedMap;
import java.util.SplittableRandom;
import java.util.TreeMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class RangedFetchTest {
    private static final int RANGE = 1000;

    private final byte[] content = new byte[10 * RANGE + 7];
    private final Elsewhere elsewhere = new Elsewhere();
    private final RangedFetch fetch = new RangedFetch(elsewhere, RANGE);

    @TempDir
    private Path folder;

    RangedFetchTest() {
        new SplittableRandom(1).nextBytes(content);
    }

    @Test
    void aFileComesInRangesAndLeavesNoListBehind() throws IOException {
        Path target = folder.resolve("model");

        fetch.whole("model", content.length, target);

        assertThat(target).hasBinaryContent(content);
        assertThat(elsewhere.read).hasSize(11);
        assertThat(folder.toFile().list()).containsExactly("model");
        assertThat(fetch.missing(content.length, target)).isZero();
    }

    @Test
    void severalRangesAreUnderWayAtOnce() throws IOException {
        elsewhere.meeting = new CyclicBarrier(4); // which none passes alone

        fetch.whole("model", 8L * RANGE, folder.resolve("model"));

        assertThat(folder.resolve("model")).hasBinaryContent(Arrays.copyOf(content, 8 * RANGE));
    }

    @Test
    void whatComesAfterAFailureFetchesOnlyTheRest() throws IOException {
        Path target = folder.resolve("model");
        elsewhere.brokenFrom = 8 * RANGE;
        assertThatThrownBy(() -> fetch.whole("model", content.length, target))
                .isInstanceOf(IOException.class)
                .hasMessage("the store is gone");
        long missing = fetch.missing(content.length, target);
        assertThat(missing).isBetween(2L * RANGE + 7, (long) content.length);
        elsewhere.brokenFrom = Long.MAX_VALUE;
        elsewhere.read.clear();

        fetch.whole("model", content.length, target);

        assertThat(target).hasBinaryContent(content);
        assertThat(elsewhere.read).hasSize((int) (missing + RANGE - 1) / RANGE);
    }

    @Test
    void aBegunFileThatSomebodyHasTakenAwayIsFetchedFromItsStart() throws IOException {
        Path target = folder.resolve("model");
        elsewhere.brokenFrom = 8 * RANGE;
        assertThatThrownBy(() -> fetch.whole("model", content.length, target)).hasMessage("the store is gone");
        Files.delete(target);
        elsewhere.brokenFrom = Long.MAX_VALUE;

        fetch.whole("model", content.length, target);

        assertThat(target).hasBinaryContent(content);
    }

    @Test
    void aPartOfAFileIsFetchedAlone() throws IOException {
        Path target = Files.writeString(folder.resolve("weight"), "what was here");

        fetch.part("model", 5, 2500, target);

        assertThat(target).hasBinaryContent(Arrays.copyOfRange(content, 5, 2505));
    }

    @Test
    void anEmptyFileIsOne() throws IOException {
        fetch.whole("model", 0, folder.resolve("model"));

        assertThat(folder.resolve("model")).isEmptyFile();
        assertThat(elsewhere.read).isEmpty();
    }

    private final class Elsewhere implements FolderFiles {
        private final List<Long> read = new CopyOnWriteArrayList<>();
        private volatile CyclicBarrier meeting = new CyclicBarrier(1);
        private volatile long brokenFrom = Long.MAX_VALUE;

        @Override
        public SortedMap<String, Long> lengths() {
            return new TreeMap<>(java.util.Map.of("model", (long) content.length));
        }

        @Override
        public byte[] read(String name, long from, int count) throws IOException {
            if (from >= brokenFrom) {
                throw new IOException("the store is gone");
            }

            try {
                meeting.await(10, TimeUnit.SECONDS);
            } catch (Exception e) {
                throw new IOException("nobody else came", e);
            }

            read.add(from);
            return Arrays.copyOfRange(content, (int) from, (int) from + count);
        }

        @Override
        public String address(String name) {
            return "test://" + name;
        }
    }
}
