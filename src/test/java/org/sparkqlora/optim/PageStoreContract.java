package org.sparkqlora.optim;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import java.util.SplittableRandom;
import java.util.stream.LongStream;
import org.jspecify.annotations.NullMarked;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.sparkqlora.quant.Workers;

/** The contract of every page store. */
@NullMarked
abstract class PageStoreContract {
    private static final int[] BYTE_SIZES = {100, 0, 4096, 1, 70_000};

    private final PageStore store = open(BYTE_SIZES);

    abstract PageStore open(int[] byteSizes);

    static LongStream seeds() {
        return LongStream.range(0, 5);
    }

    @AfterEach
    void closeStore() {
        store.close();
    }

    @Test
    void pagesAreZeroAtTheStart() {
        assertThat(store.pages()).isEqualTo(BYTE_SIZES.length);
        for (int page = 0; page < BYTE_SIZES.length; page++) {
            assertThat(store.byteSize(page)).isEqualTo(BYTE_SIZES[page]);
            assertThat(RecordedState.read(store, page)).isEqualTo(new byte[BYTE_SIZES[page]]);
        }
    }

    @ParameterizedTest(name = "seed {0}")
    @MethodSource("seeds")
    void everyPageReadsAsItWasLastWritten(long seed) {
        SplittableRandom random = new SplittableRandom(seed);
        byte[][] expected = new byte[BYTE_SIZES.length][];
        Arrays.setAll(expected, page -> new byte[BYTE_SIZES[page]]);
        for (int round = 0; round < 30; round++) {
            int page = random.nextInt(BYTE_SIZES.length);
            random.nextBytes(expected[page]);
            store.write(page, expected[page]);
        }

        for (int page = 0; page < expected.length; page++) {
            assertThat(RecordedState.read(store, page)).isEqualTo(expected[page]);
        }
    }

    @Test
    void onlyThePagesOwnBytesOfALongerArrayAreTouched() {
        byte[] longer = new byte[200];
        Arrays.fill(longer, (byte) 7);
        store.write(0, longer);
        store.write(3, longer);
        Arrays.fill(longer, (byte) 9);
        store.read(3, longer);

        assertThat(longer).startsWith(7, 9).endsWith(9);
        assertThat(RecordedState.read(store, 2)).isEqualTo(new byte[4096]);
    }

    @Test
    void aCopyIsIndependent() {
        store.write(3, new byte[] {1});
        try (PageStore copy = store.copy()) {
            store.write(3, new byte[] {2});

            assertThat(RecordedState.read(copy, 3)).containsExactly(1);
            copy.write(3, new byte[] {3});
            assertThat(RecordedState.read(store, 3)).containsExactly(2);
        }
    }

    @Test
    void differentPagesMayBeUsedAtTheSameTime() {
        int[] sizes = new int[64];
        Arrays.fill(sizes, 1000);
        try (PageStore shared = open(sizes);
                Workers workers = new Workers(4)) {
            workers.forRanges(sizes.length, 1, (from, to) -> {
                for (int page = (int) from; page < to; page++) {
                    byte[] bytes = new byte[1000];
                    Arrays.fill(bytes, (byte) page);
                    shared.write(page, bytes);
                }
            });

            for (int page = 0; page < sizes.length; page++) {
                assertThat(RecordedState.read(shared, page)).containsOnly(page);
            }
        }
    }
}
