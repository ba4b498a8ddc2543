package org.sparkqlora.optim;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.jspecify.annotations.NullMarked;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.sparkqlora.quant.Workers;
import org.sparkqlora.tensor.FlatVector;

@NullMarked
class PagedOptimizerTest {
    /** Small tensors before, between and after large ones; none is a whole number of blocks. */
    private static final long[] SIZES = {100, 5000, 700, 300, 4096, 9001, 33};

    private static final List<OptimizedTensor> TENSORS = OptimizedTensor.alike(SIZES);
    private static final int LENGTH = (int) Arrays.stream(SIZES).sum();
    private static final int STEPS = 5;
    private static final Paging IN_FILE = new Paging(PagePlace.FILE, 1 << 20);

    /** The offset of the states. */
    private static final int AT = 3;

    /**
     * Signed 8-bit codes have no level at -1: a block whose largest value is negative gets a smaller absmax when it is rounded
     * again, and its codes move by a level, which is 0.014 at most.
     */
    private static final float ROUNDED_AGAIN = 0.015f;

    @TempDir
    Path folder;

    static Stream<Arguments> kindsAndPages() {
        return Stream.of(OptimizerKind.values())
                .filter(OptimizerKind::paged)
                .flatMap(kind -> Stream.of(256, 512, 4096, 1 << 16).map(elements -> Arguments.of(kind, elements)));
    }

    @ParameterizedTest(name = "{0} in pages of {1}")
    @MethodSource("kindsAndPages")
    void pagedEqualsUnpagedBitForBit(OptimizerKind kind, int pageElements) {
        try (Workers workers = new Workers(2);
                Optimizer plain = OptimTesting.create(kind.unpaged(), workers, SIZES);
                Optimizer paged = Optimizers.create(
                        OptimTesting.spec(kind),
                        TENSORS,
                        workers,
                        PageBudget.unbounded(pageElements, 2),
                        byteSizes -> new FilePageStore(folder, byteSizes))) {
            assertThat(OptimTesting.train(paged, LENGTH, STEPS)).isEqualTo(OptimTesting.train(plain, LENGTH, STEPS));
            assertThat(OptimTesting.saved(paged)).isEqualTo(OptimTesting.saved(plain));
            assertThat(paged.stateBytes()).isEqualTo(plain.stateBytes());
        }
    }

    @ParameterizedTest
    @EnumSource(OptimizerKind.class)
    void theStateAsNumbersGivesTheStateAgain(OptimizerKind kind) {
        try (Workers workers = new Workers(1);
                Optimizer trained = OptimTesting.create(kind, workers, SIZES);
                Optimizer other = OptimTesting.create(kind, workers, SIZES)) {
            OptimTesting.train(trained, LENGTH, STEPS);
            float[] numbers = numbers(trained);

            other.writeStates(FlatVector.of(numbers), AT);

            if (kind.eightBit()) {
                assertThat(numbers(other)).containsExactly(numbers, within(ROUNDED_AGAIN * largest(numbers)));
            } else {
                assertThat(OptimTesting.saved(other)).isEqualTo(OptimTesting.saved(trained));
            }
        }
    }

    @ParameterizedTest
    @EnumSource(OptimizerKind.class)
    void oneThreadAndThreeGiveTheSameBytes(OptimizerKind kind) {
        try (Workers one = new Workers(1);
                Workers three = new Workers(3)) {
            Optimizer alone = Optimizers.create(
                    OptimTesting.spec(kind), TENSORS, one, PageBudget.unbounded(512, 1), HeapPageStore::new);
            Optimizer together = Optimizers.create(
                    OptimTesting.spec(kind), TENSORS, three, PageBudget.unbounded(512, 3), HeapPageStore::new);

            assertThat(OptimTesting.train(together, LENGTH, STEPS)).isEqualTo(OptimTesting.train(alone, LENGTH, STEPS));
            assertThat(OptimTesting.saved(together)).isEqualTo(OptimTesting.saved(alone));
        }
    }

    @ParameterizedTest
    @EnumSource(OptimizerKind.class)
    void aLoadedOptimiserGoesOnAsTheSavedOne(OptimizerKind kind) {
        try (Workers workers = new Workers(1)) {
            Optimizer first = OptimTesting.create(kind, workers, SIZES);
            OptimTesting.train(first, LENGTH, STEPS);
            Optimizer second = Optimizers.create(
                    OptimTesting.spec(kind), TENSORS, workers, PageBudget.unbounded(256, 1), HeapPageStore::new);
            OptimTesting.load(second, OptimTesting.saved(first));

            assertThat(OptimTesting.train(second, LENGTH, 1)).isEqualTo(OptimTesting.train(first, LENGTH, 1));
        }
    }

    @ParameterizedTest
    @EnumSource(OptimizerKind.class)
    void aCopyGoesItsOwnWay(OptimizerKind kind) {
        try (Workers workers = new Workers(1);
                Optimizer original = Optimizers.create(OptimTesting.spec(kind), TENSORS, workers, IN_FILE, folder)) {
            OptimTesting.train(original, LENGTH, 1);
            byte[] before = OptimTesting.saved(original);
            try (Optimizer copy = original.copy()) {
                assertThat(OptimTesting.saved(copy)).isEqualTo(before);
                OptimTesting.train(copy, LENGTH, 1);
            }

            assertThat(OptimTesting.saved(original)).isEqualTo(before);
        }
    }

    @Test
    void onlyAPagedKindKeepsAFileWhichGoesWhenItIsClosed() {
        Path kept = folder.resolve("kept");
        try (Workers workers = new Workers(1)) {
            Optimizers.create(OptimTesting.spec(OptimizerKind.ADAMW), TENSORS, workers, IN_FILE, kept)
                    .close();
            assertThat(kept).doesNotExist();
            Optimizers.create(OptimTesting.spec(OptimizerKind.PAGED_ADAMW), TENSORS, workers, IN_FILE, kept)
                    .close();
            assertThat(kept).isEmptyDirectory();
        }
    }

    @Test
    void largeTensorsTakeTwoBytesAnElementAndAScaleABlock() {
        try (Workers workers = new Workers(1)) {
            assertThat(OptimTesting.create(OptimizerKind.ADAMW_8BIT, workers, 8192)
                            .stateBytes())
                    .isEqualTo(2 * (8192 + 4 * 32));
            assertThat(OptimTesting.create(OptimizerKind.ADAMW_8BIT, workers, 4095)
                            .stateBytes())
                    .isEqualTo(8 * 4095);
            assertThat(OptimTesting.create(OptimizerKind.SGD, workers, 8192).stateBytes())
                    .isZero();
        }
    }

    @Test
    void refusesStateOfAnotherKind() {
        try (Workers workers = new Workers(1)) {
            byte[] lion = OptimTesting.saved(OptimTesting.create(OptimizerKind.PAGED_LION, workers, 10));
            Optimizer adamw = OptimTesting.create(OptimizerKind.ADAMW, workers, 10);

            assertThatThrownBy(() -> OptimTesting.load(adamw, lion))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessage("Cannot load optimiser state: expected adamw of 10 parameters in 80 bytes, "
                            + "found lion of 10 parameters in 40 bytes");
        }
    }

    @Test
    void refusesAGradientOfAnotherLength() {
        try (Workers workers = new Workers(1)) {
            Optimizer optimizer = OptimTesting.create(OptimizerKind.ADAMW, workers, 4, 6);

            assertThatThrownBy(() -> optimizer.step(FlatVector.zeros(10), FlatVector.zeros(9), 1f, 1e-3, 1))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessage("Cannot take a step: expected 10 gradients, found 9");
        }
    }

    private static float[] numbers(Optimizer optimizer) {
        FlatVector numbers = FlatVector.zeros(AT + (long) Optimizers.states(optimizer.spec()) * LENGTH);
        optimizer.readStates(numbers, AT);
        float[] values = new float[Math.toIntExact(numbers.length())];
        numbers.read(0, values, 0, values.length);
        return values;
    }

    private static float largest(float[] values) {
        float largest = 0;
        for (float value : values) {
            largest = Math.max(largest, Math.abs(value));
        }

        return largest;
    }
}
