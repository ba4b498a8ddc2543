package org.sparkqlora.optim;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.NullMarked;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.sparkqlora.quant.Workers;
import org.sparkqlora.tensor.FlatVector;

@NullMarked
class OptimizerPartTest {
    /** Small tensors before, between and after large ones; none is a whole number of blocks. */
    private static final long[] SIZES = {100, 5000, 700, 300, 4096, 9001, 33};

    private static final int LENGTH = (int) Arrays.stream(SIZES).sum();
    private static final int STEPS = 3;

    /** One within a block, one at the bound of a tensor, one that is near the end. */
    private static final long[] STARTS = {0, 1000, 5100, 12_345, LENGTH - 10};

    @ParameterizedTest
    @EnumSource(OptimizerKind.class)
    void partsTakeTheStepsOfTheWholeToTheByte(OptimizerKind kind) throws IOException {
        try (Workers workers = new Workers(2);
                Optimizer whole = OptimTesting.create(kind, workers, SIZES)) {
            float[] expected = OptimTesting.train(whole, LENGTH, STEPS);
            FlatVector parameters = OptimTesting.normal(1, LENGTH, 0.5);
            ByteArrayOutputStream saved = new ByteArrayOutputStream();
            saved.write(whole(kind).savedHeader());
            for (OptimizerPart part : whole(kind).cut(STARTS)) {
                saved.write(trained(part, parameters, workers).array());
            }

            assertThat(OptimTesting.values(parameters)).isEqualTo(expected);
            assertThat(saved.toByteArray()).isEqualTo(OptimTesting.saved(whole));
        }
    }

    /** Moves those of {@code parameters} that are its own, and gives its state. */
    private static ByteBuffer trained(OptimizerPart part, FlatVector parameters, Workers workers) {
        ByteBuffer state = ByteBuffer.allocate((int) part.stateBytes());
        FlatVector own = parameters.range(part.from(), part.length());
        try (Optimizer optimizer = part.open(state, workers, Paging.DEFAULT, null)) {
            for (int step = 1; step <= STEPS; step++) {
                FlatVector gradient = OptimTesting.normal(100 + step, LENGTH, 0.01);
                optimizer.step(own, gradient.range(part.from(), part.length()), 0.5f, 1e-3, step);
            }
        }

        parameters.setRange(part.from(), own);
        return state;
    }

    @Test
    void noBlockStraddlesTwoPartsAndTheirStatesFollowEachOther() {
        List<OptimizerPart> parts = whole(OptimizerKind.ADAMW_8BIT).cut(STARTS);

        assertThat(parts)
                .extracting(OptimizerPart::from)
                .containsExactly(0L, 100L + 3 * 256, 5100L, 10_196L + 8 * 256, 19_197L);
        assertThat(parts.get(0).from()).isZero();
        long state = 0;
        long element = 0;
        for (OptimizerPart part : parts) {
            assertThat(part.from()).isEqualTo(element);
            assertThat(part.stateStart()).isEqualTo(state);
            element = part.to();
            state += part.stateBytes();
        }

        assertThat(element).isEqualTo(LENGTH);
        assertThat(state).isEqualTo(whole(OptimizerKind.ADAMW_8BIT).stateBytes());
    }

    @Test
    void theStateOfAnotherOptimizerIsRefused() {
        byte[] other = whole(OptimizerKind.LION).savedHeader();

        assertThatThrownBy(() ->
                        whole(OptimizerKind.ADAMW).requireHeader(new DataInputStream(new ByteArrayInputStream(other))))
                .hasMessageContaining("expected adamw of %d parameters".formatted(LENGTH))
                .hasMessageContaining("found lion of %d parameters".formatted(LENGTH));
    }

    private static OptimizerPart whole(OptimizerKind kind) {
        return OptimizerPart.whole(OptimTesting.spec(kind), OptimizedTensor.alike(SIZES));
    }
}
