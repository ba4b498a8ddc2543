package org.sparkqlora.model;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.Collections;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.sparkqlora.model.GoldenModel.Mode;
import org.sparkqlora.tensor.FlatVector;
import org.sparkqlora.tensor.NativeHeap;
import org.sparkqlora.tokenizer.TokenRow;
import org.sparkqlora.weights.WeightFolder;

class NativeMemoryTest {
    private static final int STEPS = 50;

    /** How often the reference batch is repeated, so that a single forgotten tensor of hidden states is 250 KiB a step. */
    private static final int REPEATS = 20;

    /** What the JVM's own compiler and threads may take meanwhile; a forgotten tensor would take 12 MiB. */
    private static final long GROWTH_ALLOWED = 6L << 20;

    @TempDir
    private Path cache;

    @Test
    void stepsKeepNoTensor() {
        GoldenModel golden = new GoldenModel("llama-tied/variants/dora");
        List<TokenRow> rows = Collections.nCopies(REPEATS, golden.batch()).stream()
                .flatMap(List::stream)
                .toList();
        try (WeightFolder weights = golden.weights(Mode.QLORA, cache);
                DecoderModel model = DecoderModel.load(weights, golden.spec(Mode.QLORA), 1)) {
            FlatVector start = golden.adapter(model.parameters());
            steps(model, start, rows, STEPS);
            long before = NativeHeap.bytesInUse();
            steps(model, start, rows, STEPS);

            assertThat(NativeHeap.bytesInUse() - before).isLessThan(GROWTH_ALLOWED);
        }
    }

    private static void steps(DecoderModel model, FlatVector start, List<TokenRow> rows, int count) {
        FlatVector gradient = FlatVector.zeros(start.length());
        for (int i = 0; i < count; i++) {
            try (BoundParameters parameters = model.bind(start)) {
                model.addGradient(parameters, rows, gradient);
                model.losses(parameters, rows);
            }
        }
    }
}
