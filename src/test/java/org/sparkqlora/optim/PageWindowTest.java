package org.sparkqlora.optim;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.IntConsumer;
import java.util.stream.Stream;
import org.jspecify.annotations.NullMarked;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.sparkqlora.quant.Workers;
import org.sparkqlora.tensor.FlatVector;

/** The memory window of a paged optimiser and the movement of its pages. */
@NullMarked
class PageWindowTest {
    private static final long[] SIZES = {100, 50_000, 700, 300, 4096, 300_000, 33};
    private static final int LENGTH = (int) Arrays.stream(SIZES).sum();
    private static final int STEPS = 3;

    @TempDir
    Path folder;

    static Stream<Arguments> pagings() {
        return Stream.of(OptimizerKind.values())
                .filter(OptimizerKind::paged)
                .flatMap(kind -> Stream.of(PagePlace.values())
                        .flatMap(place -> Stream.of(Paging.SMALLEST_WINDOW, 100_000L, 1L << 20, 1L << 30)
                                .map(window -> Arguments.of(kind, new Paging(place, window)))));
    }

    @ParameterizedTest(name = "{0}, {1}")
    @MethodSource("pagings")
    void theBytesAreThoseOfThePlainTwinAndWhatIsHeldStaysWithinTheWindow(OptimizerKind kind, Paging paging) {
        OptimizerSpec spec = OptimTesting.spec(kind);
        try (Workers workers = new Workers(3);
                Optimizer plain = OptimTesting.create(kind.unpaged(), workers, SIZES);
                Optimizer paged = Optimizers.create(spec, OptimizedTensor.alike(SIZES), workers, paging, folder)) {
            assertThat(OptimTesting.train(paged, LENGTH, STEPS)).isEqualTo(OptimTesting.train(plain, LENGTH, STEPS));
            assertThat(OptimTesting.saved(paged)).isEqualTo(OptimTesting.saved(plain));
            assertThat(paged.residentBytes()).isPositive().isLessThanOrEqualTo(paging.windowBytes());
            assertThat(plain.residentBytes()).isGreaterThan(plain.stateBytes());
        }
    }

    @Test
    void aThreadHoldsAsManyBytesAsWereEstimated() {
        Paging paging = new Paging(PagePlace.FILE, 1 << 20);
        OptimizerSpec spec = OptimTesting.spec(OptimizerKind.PAGED_ADAMW_8BIT);
        try (Workers workers = new Workers(1);
                Optimizer paged = Optimizers.create(spec, OptimizedTensor.alike(SIZES), workers, paging, folder)) {
            OptimTesting.train(paged, LENGTH, 1);

            assertThat(paged.residentBytes()).isEqualTo(Optimizers.bufferBytes(spec, SIZES, paging, 1));
        }
    }

    @Test
    void refusesToHoldMoreThanItsBound() {
        PageWindow window = new PageWindow(100);
        window.take(60);

        assertThatThrownBy(() -> window.take(41))
                .isInstanceOf(IllegalStateException.class)
                .hasMessage("Cannot hold 41 more bytes of optimiser pages: 60 of 100 are held already");
        window.giveBack(60);
        window.take(41);
        assertThat(window.peakBytes()).isEqualTo(60);
    }

    @Test
    void refusesAWindowWithoutRoomForABlock() {
        assertThatThrownBy(() -> new Paging(PagePlace.MEMORY, 4096))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("Cannot page an optimiser through a window of 4096 bytes: expected at least 16384");
    }

    /** Would not end if loads waited for updates. */
    @Test
    void thePageAfterIsLoadedWhileAPageIsUpdated() {
        CountDownLatch loaded = new CountDownLatch(1);
        UpdateRule.ElementUpdate waits = (parameters, gradient, states, count) -> await(loaded);
        PageStore store = new Watched(new HeapPageStore(new int[] {2048, 2048}), page -> {
            if (page == 1) {
                loaded.countDown();
            }
        });
        try (PageLane lane = lane(store, waits)) {
            lane.walk(0, 2);
        }

        assertThat(loaded.getCount()).isZero();
    }

    @Test
    void aFailedLoadEndsTheWalkWithItsReason() {
        PageStore store = new Watched(new HeapPageStore(new int[] {2048, 2048}), page -> {
            if (page == 1) {
                throw new UncheckedIOException(new IOException("no more disk"));
            }
        });
        try (PageLane lane = lane(store, (parameters, gradient, states, count) -> {})) {
            assertThatThrownBy(() -> lane.walk(0, 2)).hasRootCauseMessage("no more disk");
        }
    }

    private static PageLane lane(PageStore store, UpdateRule.ElementUpdate update) {
        List<StateFormat> states = List.of(StateFormat.Float32Format.INSTANCE, StateFormat.Float32Format.INSTANCE);
        List<StatePage> pages = List.of(
                new StatePage(0, 256, states, ParameterGroup.PLAIN),
                new StatePage(256, 256, states, ParameterGroup.PLAIN));
        FlatVector vector = FlatVector.zeros(512);
        PagedStep step = new PagedStep(pages, store, vector, vector.copy(), 1f, List.of(update, update));
        return new PageLane(step, 2, new PageWindow(1 << 20), work -> new Thread(work).start());
    }

    private static void await(CountDownLatch latch) {
        try {
            assertThat(latch.await(30, TimeUnit.SECONDS)).isTrue();
        } catch (InterruptedException e) {
            throw new IllegalStateException("interrupted", e);
        }
    }

    /** Tells of every read before it is done. */
    private record Watched(PageStore store, IntConsumer reads) implements PageStore {
        @Override
        public int pages() {
            return store.pages();
        }

        @Override
        public int byteSize(int page) {
            return store.byteSize(page);
        }

        @Override
        public void read(int page, byte[] target) {
            reads.accept(page);
            store.read(page, target);
        }

        @Override
        public void write(int page, byte[] source) {
            store.write(page, source);
        }

        @Override
        public PageStore copy() {
            return new Watched(store.copy(), reads);
        }

        @Override
        public void close() {
            store.close();
        }
    }
}
