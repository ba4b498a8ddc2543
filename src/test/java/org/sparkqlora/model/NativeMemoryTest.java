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
    private static final int STEPS = 12;

    /** The median of an odd number of rounds leaves out those in which the JVM's own compiler and threads took or gave memory. */
    private static final int ROUNDS = 5;

    /** Repetitions of the reference batch, so that a single forgotten tensor of hidden states is 250 KiB a step. */
    private static final int REPEATS = 20;

    /** A forgotten tensor would take 3 MiB a round. */
    private static final long GROWTH_ALLOWED = 2L << 20;

    private static final int CALLERS = 16;

    @TempDir
    private Path cache;

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
            steps(
                    model, start, rows,
                    3 * STEPS); // while kernels are compiled, the compiler's own memory comes and goes
            long[] growth = new long[ROUNDS];
            for (int round = 0; round < ROUNDS; round++) {
                growth[round] = growth(model, start, rows);
            }

            Arrays.sort(growth);
            assertThat(growth[ROUNDS / 2]).isLessThan(GROWTH_ALLOWED);
        }
    }

    @Test
    void callersThatComeAndGoLeaveNoThreadBehind() throws InterruptedException {
        GoldenModel golden = new GoldenModel("llama-tied/variants/dora");
        try (WeightFolder weights = golden.weights(Mode.QLORA, cache);
                DecoderModel model = LoadedModel.of(weights, golden.spec(Mode.QLORA), 2)) {
            FlatVector start = golden.adapter(model.parameters());
            steps(model, start, golden.batch(), 1);
            long before = threads();
            for (int i = 0; i < CALLERS; i++) {
                Thread caller = new Thread(() -> steps(model, start, golden.batch(), 1));
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

    private static long growth(DecoderModel model, FlatVector start, List<TokenRow> rows) {
        long before = NativeHeap.bytesInUse();
        steps(model, start, rows, STEPS);
        return NativeHeap.bytesInUse() - before;
    }

    private static void steps(DecoderModel model, FlatVector start, List<TokenRow> rows, int count) {
        FlatVector gradient = FlatVector.zeros(start.length());
        for (int i = 0; i < count; i++) {
            try (BoundParameters parameters = model.bind(start)) {
                LoadedModel.addGradient(model, parameters, rows, gradient);
                model.losses(parameters, rows);
            }
        }
    }
}
