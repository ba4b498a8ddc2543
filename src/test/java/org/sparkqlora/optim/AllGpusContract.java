package org.sparkqlora.optim;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.NullMarked;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.sparkqlora.quant.Workers;
import org.sparkqlora.tensor.cuda.GpuAdamW;

/** The GPUs of one process work at once, each for a thread of its own, and do not mix up. */
@NullMarked
abstract class AllGpusContract {
    private static final long[] SIZES = {100, 5000, 40_000, 33};
    private static final int LENGTH = 45_133;
    private static final int STEPS = 20;

    @TempDir
    private Path folder;

    /** One a GPU, to be closed. */
    abstract List<GpuAdamW> updates();

    @Test
    void eachTakesTheStepsOfTheProcessorWhileTheOthersDo() {
        List<CompletableFuture<float[]>> under = updates().stream()
                .map(update -> CompletableFuture.supplyAsync(() -> trained(update)))
                .toList();

        float[] expected;
        try (Workers workers = new Workers(1);
                Optimizer plain = OptimTesting.create(OptimizerKind.ADAMW_8BIT, workers, SIZES)) {
            expected = OptimTesting.train(plain, LENGTH, STEPS);
        }

        assertThat(under).isNotEmpty().allSatisfy(way -> assertThat(way.join()).isEqualTo(expected));
    }

    private float[] trained(GpuAdamW update) {
        try (update;
                Workers workers = new Workers(1);
                Optimizer onGpu = Optimizers.create(
                        OptimTesting.spec(OptimizerKind.PAGED_ADAMW_8BIT),
                        OptimizedTensor.alike(SIZES),
                        workers,
                        new Paging(PagePlace.FILE, Paging.SMALLEST_WINDOW),
                        folder,
                        update)) {
            return OptimTesting.train(onGpu, LENGTH, STEPS);
        }
    }
}
