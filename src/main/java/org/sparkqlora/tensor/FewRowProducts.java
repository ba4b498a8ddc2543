package org.sparkqlora.tensor;

import java.nio.FloatBuffer;
import java.nio.ShortBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.bytedeco.javacpp.FloatPointer;
import org.bytedeco.javacpp.ShortPointer;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.sparkqlora.quant.Workers;

/**
 * Products of a few rows in bfloat16 with the transpose of a weight, as each decoded token needs them. Every weight is widened on its way
 * to a register and used for all rows, where a product of OpenBLAS's needs all weights in float32 and packed first.
 *
 * <p>The bytes are those that {@link WideProducts} has from OpenBLAS, whose kernels for AVX2 and AVX-512 ({@code sgemm_kernel_8x4_haswell_2.c},
 * {@code sgemm_kernel_16x4_skylakex_3.c}) add by fused multiply-adds, in {@link OpenBlasStretches stretches}.
 */
final class FewRowProducts {
    /** Weights below which a thread costs more to wake than it saves. */
    private static final long GRAIN = 1 << 19;

    private static final RowMath MATH = RowMath.fastest();
    /** With more rows OpenBLAS is faster. */
    private static final long MOST_ROWS = MATH instanceof VectorRowMath && VectorProducts.AVX512 ? 48 : 96;

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
        Tensor left = OpenBlasStretches.waves(19, 1000).to(ScalarType.BFloat16);
        Tensor right = OpenBlasStretches.waves(61, 1000).to(ScalarType.BFloat16).t();
        return product(left, right, 900).equal(WideProducts.ofOpenBlas(left, right, 900));
    }

    /**
     * Some of the left rows, those that are missing being zeros.
     *
     * @param first of them among all
     * @param count how many there are
     * @param height how many there would be
     * @param numbers (k, height)
     */
    private record Group(int first, int count, int height, float[] numbers) {
        static Group of(FloatBuffer left, int first, int rows, int terms) {
            int height = VectorProducts.rows(rows - first);
            int count = Math.min(height, rows - first);
            float[] numbers = new float[terms * height];
            float[] row = new float[terms];
            for (int i = 0; i < count; i++) {
                left.get(row);
                for (int k = 0, at = i; k < terms; k++, at += height) {
                    numbers[at] = row[k];
                }
            }

            return new Group(first, count, height, numbers);
        }

        /**
         * Writes a part of the product.
         *
         * @param sums (columns, height)
         * @param column of the whole product, {@code width} columns of which are a row of {@code results}
         */
        void write(float[] sums, int columns, FloatBuffer results, int column, int width) {
            for (int row = 0; row < count; row++) {
                int at = (first + row) * width + column;
                for (int i = 0; i < columns; i++) {
                    results.put(at + i, sums[i * height + row]);
                }
            }
        }
    }

    /**
     * The left rows.
     *
     * @param terms k
     * @param panel terms that are one product of OpenBLAS's
     */
    private record Rows(int terms, int panel, List<Group> groups) {
        static Rows of(Tensor left, int panel) {
            int count = (int) left.size(0);
            int terms = (int) left.size(1);
            FloatBuffer numbers = new FloatPointer(
                            left.to(ScalarType.Float).contiguous().data_ptr())
                    .limit((long) count * terms)
                    .asBuffer();
            List<Group> groups = new ArrayList<>();
            for (int first = 0; first < count; first += VectorProducts.MOST_ROWS) {
                groups.add(Group.of(numbers, first, count, terms));
            }

            return new Rows(terms, panel, groups);
        }

        /** Writes the columns {@code from} to {@code to - 1} of the product, {@code width} of which are a row of {@code results}. */
        void times(ShortBuffer weights, int from, int to, FloatBuffer results, int width) {
            short[] fetched = new short[VectorProducts.COLUMNS * terms];
            float[] widened = new float[VectorProducts.COLUMNS * terms];
            float[] sums = new float[VectorProducts.COLUMNS * VectorProducts.MOST_ROWS];
            for (int column = from; column < to; column += VectorProducts.COLUMNS) {
                int columns = Math.min(VectorProducts.COLUMNS, to - column);
                weights.get(column * terms, fetched, 0, columns * terms);
                MATH.widen(fetched, widened, columns * terms);
                for (Group group : groups) {
                    Arrays.fill(sums, 0);
                    addStretches(group, widened, sums);
                    group.write(sums, columns, results, column, width);
                }
            }
        }

        private void addStretches(Group group, float[] widened, float[] sums) {
            for (int panelStart = 0; panelStart < terms; panelStart += panel) {
                int end = Math.min(terms, panelStart + panel);
                int at = panelStart;
                while (at < end) {
                    int stretch = (int) WideProducts.STRETCHES.next(end - at);
                    VectorProducts.add(group.height(), group.numbers(), widened, terms, at, at + stretch, sums);
                    at += stretch;
                }
            }
        }
    }
}
