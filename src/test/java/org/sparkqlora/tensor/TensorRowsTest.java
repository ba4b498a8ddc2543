package org.sparkqlora.tensor;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.stream.IntStream;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.jspecify.annotations.NullMarked;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.sparkqlora.quant.Workers;

@NullMarked
class TensorRowsTest {
    private static final int ROWS = 300;
    private static final int WIDTH = 128;

    enum Format {
        FLOAT,
        BFLOAT16;

        private ScalarType type() {
            return this == FLOAT ? ScalarType.Float : ScalarType.BFloat16;
        }
    }

    @BeforeAll
    static void loadLibtorch() {
        Natives.load();
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 3})
    void everyRowIsVisitedOnceByAnyNumberOfThreads(int threads) {
        try (PointerScope scope = new PointerScope();
                Workers workers = new Workers(threads)) {
            Tensor tensor = TensorMemory.empty(ScalarType.Float, ROWS, WIDTH).zero_();
            RowLoop loop = new RowLoop(workers);
            for (int round = 0; round < 2; round++) {
                loop.run(ROWS, WIDTH, range -> addRowNumbers(range, range.of(tensor, WIDTH)));
            }

            float[] values = new float[ROWS * WIDTH];
            TensorMemory.read(tensor, values, values.length);
            assertThat(IntStream.range(0, values.length).filter(i -> values[i] != 2 * (i / WIDTH)))
                    .isEmpty();
        }
    }

    /** A worker has no scope of its own: what is left there is never freed. */
    @ParameterizedTest
    @ValueSource(ints = {1, 2, 3})
    void whatABodyMakesIsFreedOnEveryThread(int threads) {
        try (PointerScope scope = new PointerScope();
                Workers workers = new Workers(threads)) {
            Tensor tensor = TensorMemory.empty(ScalarType.Float, ROWS, WIDTH).zero_();
            RowLoop loop = new RowLoop(workers);
            loop.run(ROWS, WIDTH, range -> range.of(tensor.contiguous(), WIDTH));
            loop.runEach(threads, range -> range.of(tensor.contiguous(), WIDTH));

            assertThat(tensor.use_count()).isEqualTo(1);
        }
    }

    @ParameterizedTest
    @EnumSource(Format.class)
    void columnsOfAWiderMatrixAreReadAndWritten(Format format) {
        try (PointerScope scope = new PointerScope()) {
            Tensor wide = TensorMemory.empty(format.type(), 4, 10).zero_();
            RowMath math = RowMath.fastest();
            Tensor columns = wide.narrow(1, 3, 5);
            TensorRows rows = TensorRows.strided(columns, 5, columns.stride(0), 1, 4, math);
            rows.store(2, new float[] {1, 2, 3, 4, 5});

            float[] part = new float[2];
            rows.load(2, 1, 2, part);
            assertThat(part).containsExactly(2, 3);
            float[] whole = new float[40];
            TensorRows.of(wide, 40, 0, 1, math).load(0, whole);
            assertThat(whole[23]).isEqualTo(1);
            assertThat(whole[27]).isEqualTo(5);
            assertThat(math.dot(whole, whole, 40)).isEqualTo(1 + 4 + 9 + 16 + 25);
        }
    }

    private static void addRowNumbers(RowLoop.Range range, TensorRows rows) {
        float[] row = new float[WIDTH];
        for (long i = range.from(); i < range.to(); i++) {
            rows.load(i, row);
            for (int j = 0; j < WIDTH; j++) {
                row[j] += i;
            }

            rows.store(i, row);
        }
    }
}
