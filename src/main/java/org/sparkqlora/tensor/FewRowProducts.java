package org.sparkqlora.tensor;

import java.nio.FloatBuffer;
import java.nio.ShortBuffer;
import java.util.Arrays;
import org.bytedeco.javacpp.FloatPointer;
import org.bytedeco.javacpp.ShortPointer;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.sparkqlora.quant.Workers;

/**
 * Products of a few rows in bfloat16 with the transpose of a weight, as each decoded token needs them. Every weight is widened on its way
 * to a register and used for all rows, where a product of OpenBLAS's needs all weights in float32 and packed first.
 *
 * <p>The bytes are those that {@link WideProducts} has from OpenBLAS, whose kernel for AVX2 ({@code sgemm_kernel_8x4_haswell_2.c},
 * called by {@code level3.c}) takes the terms in stretches: each is added up from zero, in order, by fused multiply-adds, and then added to the
 * sum of those before.
 */
final class FewRowProducts {
    /** With more rows OpenBLAS is faster. */
    private static final long MOST_ROWS = 96;
    /** Terms that OpenBLAS adds up from zero, at most. */
    private static final int STRETCH = 320;
    /** What the length of half a stretch is rounded up to. */
    private static final int UNROLLED = 8;
    /** Weights below which a thread costs more to wake than it saves. */
    private static final long GRAIN = 1 << 19;

    private static final RowMath MATH = RowMath.fastest();
    private static final Workers WORKERS = new Workers(Runtime.getRuntime().availableProcessors());

    /** Tried once: OpenBLAS has other kernels for other processors, which add in other orders. */
    private static final boolean SAME_BYTES = MATH instanceof VectorRowMath && hasBytesOfOpenBlas();

    private FewRowProducts() {}

    /** Whether {@link #product} is the faster way to left (m, k) times right (k, n) here, both in bfloat16. */
    static boolean suit(Tensor left, Tensor right) {
        return left.size(0) <= MOST_ROWS && SAME_BYTES && isTransposed(right) && right.numel() <= Integer.MAX_VALUE;
    }

    private static boolean isTransposed(Tensor right) {
        return right.stride(0) == 1 && right.stride(1) == right.size(0) && right.size(0) > 1;
    }

    /**
     * Left (m, k) times right (k, n): (m, n) in float32.
     *
     * @param panel terms that are one product of OpenBLAS's
     */
    static Tensor product(Tensor left, Tensor right, long panel) {
        Tensor product = torch.empty(left.size(0), right.size(1));
        Rows rows = Rows.of(left, (int) Math.min(panel, left.size(1)));
        ShortBuffer weights =
                new ShortPointer(right.data_ptr()).limit(right.numel()).asBuffer();
        FloatBuffer results =
                new FloatPointer(product.data_ptr()).limit(product.numel()).asBuffer();
        long parts = Math.min(torch.get_num_threads(), Math.max(1, right.numel() / GRAIN));
        WORKERS.forRanges(
                right.size(1),
                WideProducts.roundedUp((right.size(1) + parts - 1) / parts, VectorProducts.COLUMNS),
                (from, to) -> rows.times(weights, (int) from, (int) to, results, (int) right.size(1)));
        return product;
    }

    private static boolean hasBytesOfOpenBlas() {
        Tensor left = waves(19, 1000);
        Tensor right = waves(61, 1000).t();
        return product(left, right, 900).equal(WideProducts.ofOpenBlas(left, right, 900));
    }

    private static Tensor waves(long rows, long columns) {
        return torch.arange(new Scalar(rows * columns))
                .to(ScalarType.Float)
                .sin()
                .view(rows, columns)
                .to(ScalarType.BFloat16);
    }

    /**
     * The left rows, in groups of as many as two registers hold; those of the last are completed with zeros.
     *
     * @param count how many they are
     * @param terms k
     * @param groups each (k, 16)
     */
    private record Rows(int count, int terms, int panel, float[][] groups) {
        static Rows of(Tensor left, int panel) {
            int count = (int) left.size(0);
            int terms = (int) left.size(1);
            float[][] groups =
                    new float[(count + VectorProducts.ROWS - 1) / VectorProducts.ROWS][terms * VectorProducts.ROWS];
            FloatBuffer numbers = new FloatPointer(
                            left.to(ScalarType.Float).contiguous().data_ptr())
                    .limit((long) count * terms)
                    .asBuffer();
            float[] row = new float[terms];
            for (int i = 0; i < count; i++) {
                numbers.get(row);
                float[] group = groups[i / VectorProducts.ROWS];
                for (int k = 0, at = i % VectorProducts.ROWS; k < terms; k++, at += VectorProducts.ROWS) {
                    group[at] = row[k];
                }
            }

            return new Rows(count, terms, panel, groups);
        }

        /** Writes the columns {@code from} to {@code to - 1} of the product, {@code width} of which are a row of {@code results}. */
        void times(ShortBuffer weights, int from, int to, FloatBuffer results, int width) {
            short[] fetched = new short[VectorProducts.COLUMNS * terms];
            float[] widened = new float[VectorProducts.COLUMNS * terms];
            float[] sums = new float[VectorProducts.COLUMNS * VectorProducts.ROWS];
            for (int column = from; column < to; column += VectorProducts.COLUMNS) {
                int columns = Math.min(VectorProducts.COLUMNS, to - column);
                weights.get(column * terms, fetched, 0, columns * terms);
                MATH.widen(fetched, widened, columns * terms);
                for (int group = 0; group < groups.length; group++) {
                    Arrays.fill(sums, 0);
                    addStretches(groups[group], widened, sums);
                    int first = group * VectorProducts.ROWS;
                    for (int row = first; row < Math.min(count, first + VectorProducts.ROWS); row++) {
                        for (int i = 0; i < columns; i++) {
                            results.put(row * width + column + i, sums[i * VectorProducts.ROWS + row - first]);
                        }
                    }
                }
            }
        }

        private void addStretches(float[] rows, float[] widened, float[] sums) {
            for (int panelStart = 0; panelStart < terms; panelStart += panel) {
                int end = Math.min(terms, panelStart + panel);
                int at = panelStart;
                while (at < end) {
                    int stretch = stretch(end - at);
                    VectorProducts.add(rows, widened, terms, at, at + stretch, sums);
                    at += stretch;
                }
            }
        }

        /** Of {@code left} terms, how many OpenBLAS takes next. */
        private static int stretch(int left) {
            if (left >= 2 * STRETCH) {
                return STRETCH;
            }

            return left > STRETCH ? (int) WideProducts.roundedUp(left / 2, UNROLLED) : left;
        }
    }
}
