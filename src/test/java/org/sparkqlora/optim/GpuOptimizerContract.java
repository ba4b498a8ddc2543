package org.sparkqlora.optim;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.stream.LongStream;
import java.util.stream.Stream;
import org.jspecify.annotations.NullMarked;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.sparkqlora.quant.Workers;
import org.sparkqlora.tensor.cuda.GpuAdamW;

/** An optimiser whose pages a GPU updates takes the steps of one whose pages the processor updates. */
@NullMarked
abstract class GpuOptimizerContract {
    /** Small tensors before, between and after large ones; few are whole numbers of blocks. */
    private static final long[] SIZES = {100, 5000, 700, 300, 4096, 9001, 33};

    private static final int LENGTH = (int) Arrays.stream(SIZES).sum();
    private static final int STEPS = 5;
    private static final ParameterGroup SLOW = new ParameterGroup(0.5, 2);

    @TempDir
    Path folder;

    /** To be closed. */
    abstract GpuAdamW update();

    static Stream<Arguments> kindsAndWindows() {
        return Stream.of(
                        OptimizerKind.ADAMW,
                        OptimizerKind.ADAMW_8BIT,
                        OptimizerKind.PAGED_ADAMW,
                        OptimizerKind.PAGED_ADAMW_8BIT)
                .flatMap(kind -> LongStream.of(Paging.SMALLEST_WINDOW, 1 << 17, 1 << 26)
                        .mapToObj(window -> Arguments.of(kind, window)));
    }

    @ParameterizedTest(name = "{0} in {1} bytes")
    @MethodSource("kindsAndWindows")
    void stepsAreThoseOfTheProcessorBitForBit(OptimizerKind kind, long window) {
        try (Workers workers = new Workers(2);
                GpuAdamW update = update();
                Optimizer plain = OptimTesting.create(kind.unpaged(), workers, SIZES);
                Optimizer onGpu = Optimizers.create(
                        OptimTesting.spec(kind),
                        OptimizedTensor.alike(SIZES),
                        workers,
                        new Paging(PagePlace.FILE, window),
                        folder,
                        update)) {
            assertThat(OptimTesting.train(onGpu, LENGTH, STEPS)).isEqualTo(OptimTesting.train(plain, LENGTH, STEPS));
            assertThat(OptimTesting.saved(onGpu)).isEqualTo(OptimTesting.saved(plain));
            assertThat(onGpu.residentBytes() - (kind.paged() ? 0 : onGpu.stateBytes()))
                    .isPositive()
                    .isLessThanOrEqualTo(window);
        }
    }

    @Test
    void groupsOfTensorsKeepTheirRatesAndDecays() {
        List<OptimizedTensor> tensors =
                List.of(new OptimizedTensor(5000, SLOW), new OptimizedTensor(300, ParameterGroup.PLAIN));
        OptimizerSpec spec = OptimTesting.spec(OptimizerKind.PAGED_ADAMW_8BIT);
        try (Workers workers = new Workers(1);
                GpuAdamW update = update();
                Optimizer plain = Optimizers.create(spec, tensors, workers);
                Optimizer onGpu = Optimizers.create(spec, tensors, workers, Paging.DEFAULT, folder, update)) {
            assertThat(OptimTesting.train(onGpu, 5300, STEPS)).isEqualTo(OptimTesting.train(plain, 5300, STEPS));
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"LION", "PAGED_LION_8BIT", "SGD"})
    void otherRulesAreLeftToTheProcessor(OptimizerKind kind) {
        try (Workers workers = new Workers(1);
                GpuAdamW update = update();
                Optimizer plain = OptimTesting.create(kind, workers, SIZES);
                Optimizer other = Optimizers.create(
                        OptimTesting.spec(kind),
                        OptimizedTensor.alike(SIZES),
                        workers,
                        Paging.DEFAULT,
                        folder,
                        update)) {
            assertThat(OptimTesting.train(other, LENGTH, STEPS)).isEqualTo(OptimTesting.train(plain, LENGTH, STEPS));
        }
    }
}
