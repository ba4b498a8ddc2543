package org.sparkqlora.model;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.sparkqlora.model.GoldenModel.Mode;
import org.sparkqlora.tensor.FlatVector;
import org.sparkqlora.tensor.NativeHeap;
import org.sparkqlora.tokenizer.packing.TokenRow;
import org.sparkqlora.weights.WeightFolder;

class NativeMemoryTest {
    /** Until most kernels are compiled: the compiler's own memory comes and goes. */
    private static final int FIRST_STEPS = 8;

    private static final int STEPS = 12;

    /** A forgotten tensor makes all steps grow. In some the JVM's own compiler and threads take memory, in fewer they give it back. */
    private static final int COUNTED = STEPS / 4;

    /** Repetitions of the reference batch, so that a single forgotten tensor of hidden states is 100 to 250 KiB a step. */
    private static final int REPEATS = 20;

    /** A third of a forgotten tensor of the narrowest model; found: 5 KiB at most. */
    private static final long GROWTH_ALLOWED = 32L << 10;

    private static final int CALLERS = 16;

    @TempDir
    private static Path cache;

    @ParameterizedTest
    @CsvSource({
        "llama-tied/variants/dora, ALL",
        "llama-tied/variants/dora, NONE",
        "qwen3_5_text, ALL",
        "gemma4_text, ALL",
        "gemma4_text, NONE",
        "qwen3_moe, ALL",
        "qwen3_moe-sparse, NONE"
    })
    void stepsKeepNoTensor(String name, Recompute recompute) {
        GoldenModel golden = new GoldenModel(name);
        List<TokenRow> rows = Collections.nCopies(REPEATS, golden.batch()).stream()
                .flatMap(List::stream)
                .toList();
        try (WeightFolder weights = golden.weights(Mode.QLORA, cache);
                DecoderModel model = LoadedModel.of(weights, golden.spec(Mode.QLORA), 1, recompute)) {
            FlatVector start = golden.adapter(model.parameters());
            FlatVector gradient = FlatVector.zeros(start.length());
            for (int i = 0; i < FIRST_STEPS; i++) {
                step(model, start, rows, gradient);
            }

            long[] growth = new long[STEPS];
            for (int i = 0; i < STEPS; i++) {
                long before = NativeHeap.bytesInUse();
                step(model, start, rows, gradient);
                growth[i] = NativeHeap.bytesInUse() - before;
            }

            Arrays.sort(growth);
            assertThat(growth[COUNTED]).isLessThan(GROWTH_ALLOWED);
        }
    }

    @Test
    void callersThatComeAndGoLeaveNoThreadBehind() throws InterruptedException {
        GoldenModel golden = new GoldenModel("llama-tied/variants/dora");
        try (WeightFolder weights = golden.weights(Mode.QLORA, cache);
                DecoderModel model = LoadedModel.of(weights, golden.spec(Mode.QLORA), 2)) {
            FlatVector start = golden.adapter(model.parameters());
            FlatVector gradient = FlatVector.zeros(start.length());
            step(model, start, golden.batch(), gradient);
            long before = threads();
            for (int i = 0; i < CALLERS; i++) {
                Thread caller = new Thread(() -> step(model, start, golden.batch(), gradient));
                caller.start();
                caller.join();
            }

            // a team of OpenMP's threads stays for each thread that ever computed, and so does a heap
            assertThat(threads() - before).isLessThan(CALLERS);
        }
    }

    /** Of the process, OpenMP's included. */
    private static long threads() {
        String[] tasks = Path.of("/proc/self/task").toFile().list();
        return tasks == null ? 0 : tasks.length;
    }

    private static void step(DecoderModel model, FlatVector start, List<TokenRow> rows, FlatVector gradient) {
        try (BoundParameters parameters = model.bind(start)) {
            LoadedModel.addGradient(model, parameters, rows, gradient);
            model.losses(parameters, rows);
        }
    }
}
