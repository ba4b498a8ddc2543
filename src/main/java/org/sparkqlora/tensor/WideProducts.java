package org.sparkqlora.tensor;

import java.util.ArrayList;
import java.util.List;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.jspecify.annotations.Nullable;

/**
 * Products of 16-bit matrices, computed in float32 and rounded once, as oneDNN does where the processor multiplies bfloat16. Operands
 * are widened a panel at a time, so that a weight is never held in 32 bits.
 *
 * <p>A row of a product has the same bytes whatever rows are beside it, and wherever among them it lies, as oneDNN's has. OpenBLAS, which
 * multiplies float32, does not promise that: its kernel for AVX2 adds the terms of the first and of the last 8 rows of a block in another
 * order than those of the rows between them, by columns as it sees matrices. So products are computed transposed, a block at a time, with
 * 8 rows of zeros at both ends.
 */
final class WideProducts {
    /** Whether OpenBLAS has its kernels for AVX-512. */
    private static final boolean AVX512 = ProcessorFlags.ofThisMachine().names().contains("avx512f");
    /** Rows at either end of a block that OpenBLAS computes apart. */
    private static final long EDGE = 8;
    /** A block has a multiple of as many rows. */
    private static final long TILE = 16;
    /** Rows of a block with its ends, at most: OpenBLAS takes as many at a time. */
    private static final long BLOCK = 320;
    /** Columns that the kernel takes together; those that are left over it adds in another order. */
    private static final long COLUMNS = 12;
    /** Rows of the result at a time. */
    private static final long ROWS = 2 * (BLOCK - 2 * EDGE);
    /** Columns of the result at a time: what is in float32 of them stays in the second cache, and takes little memory in many threads. */
    private static final long CHUNK = COLUMNS * 86;
    /** Rows of a block, at least. */
    private static final long LEAST_ROWS = roundedUp(1 + 2 * EDGE, TILE);
    /**
     * Multiplications that OpenBLAS's kernel for small matrices ({@code sgemm_small_kernel_permit_skylakex.c}) takes at most. It adds all terms
     * up at once, where with more rows they are taken in stretches.
     */
    private static final long SMALL = 1_000_000;
    /**
     * Columns, at least: with fewer than 1,200 numbers in a block's product the kernel for small matrices adds the terms of some layouts in yet
     * another order. OpenBLAS has it for AVX-512 alone.
     */
    private static final long LEAST_COLUMNS = AVX512 ? 4 * COLUMNS : COLUMNS;
    /** Numbers of the right matrix, of all its columns, whose terms are one product. */
    private static final long PANEL = 1 << 21;
    /** Terms at a time, at least: fewer leave a product that is slower than its parts. OpenBLAS divides long ones once more. */
    private static final long LEAST_TERMS = 256;

    /** Of this machine. */
    static final OpenBlasStretches STRETCHES = OpenBlasStretches.here();

    private WideProducts() {}

    /** @param bias (n), in the type of the operands */
    static Tensor mm(Tensor left, Tensor right, @Nullable Tensor bias) {
        Tensor result = left.new_empty(left.size(0), right.size(1));
        mmInto(result, left, right, bias);
        return result;
    }

    static void mmInto(Tensor result, Tensor left, Tensor right, @Nullable Tensor bias) {
        eachBlock(
                left,
                right,
                (place, product) -> place.of(result).copy_(bias == null ? product : product.add_(place.ofRow(bias))));
    }

    /** The product (m, n) in float32, by OpenBLAS however few rows there are. */
    static Tensor ofOpenBlas(Tensor left, Tensor right, long panel) {
        Tensor result = torch.empty(left.size(0), right.size(1));
        eachBlockOfOpenBlas(
                left, right, panel, (place, product) -> place.of(result).copy_(product));
        return result;
    }

    static Tensor addTo(Tensor sum, Tensor left, Tensor right, double factor) {
        eachBlock(left, right, (place, product) -> {
            Tensor own = place.of(sum);
            own.copy_(product.mul_(new Scalar(factor)).add_(own));
        });
        return sum;
    }

    /** More columns at the end of the right matrices change no byte either, nor do more terms of which one factor is 0. */
    static Tensor bmm(Tensor left, Tensor right) {
        Tensor result = left.new_empty(left.size(0), left.size(1), right.size(2));
        for (long i = 0; i < left.size(0); i++) {
            Tensor of = result.select(0, i);
            eachBlock(
                    left.select(0, i),
                    right.select(0, i),
                    LEAST_TERMS,
                    (place, product) -> place.of(of).copy_(product));
        }

        return result;
    }

    /** A part of a result. */
    private record Place(long row, long rows, long column, long columns) {
        Tensor of(Tensor result) {
            return result.narrow(0, row, rows).narrow(1, column, columns);
        }

        Tensor ofRow(Tensor vector) {
            return vector.narrow(0, column, columns);
        }
    }

    private interface Parts {
        /** @param product what belongs there, in float32 */
        void take(Place place, Tensor product);
    }

    private static void eachBlock(Tensor left, Tensor right, Parts result) {
        eachBlock(left, right, Math.max(LEAST_TERMS, PANEL / Math.max(1, right.size(1))), result);
    }

    private static void eachBlock(Tensor left, Tensor right, long panel, Parts result) {
        if (FewRowProducts.suit(left, right)) {
            TensorScope.run(() -> result.take(
                    new Place(0, left.size(0), 0, right.size(1)), FewRowProducts.product(left, right, panel)));
        } else {
            eachBlockOfOpenBlas(left, right, panel, result);
        }
    }

    private static void eachBlockOfOpenBlas(Tensor left, Tensor right, long panel, Parts result) {
        for (long from = 0; from < left.size(0); from += ROWS) {
            long start = from;
            long count = Math.min(ROWS, left.size(0) - from);
            TensorScope.run(() -> {
                List<Block> blocks = Block.of(left.narrow(0, start, count), start);
                for (long column = 0; column < right.size(1); column += CHUNK) {
                    long first = column;
                    long columns = Math.min(CHUNK, right.size(1) - column);
                    TensorScope.run(() -> addColumns(blocks, first, right.narrow(1, first, columns), panel, result));
                }
            });
        }
    }

    /** Terms are added in panels, so that the right matrix is widened once for all blocks. */
    private static void addColumns(List<Block> blocks, long column, Tensor right, long panel, Parts result) {
        long columns = right.size(1);
        List<Tensor> sums = blocks.stream()
                .map(block -> torch.zeros(whole(columns), block.rows().size(0)))
                .toList();
        long terms = right.size(0);
        boolean small = LEAST_ROWS * whole(columns) * terms <= SMALL;
        for (long from = 0; from < terms; ) {
            long start = from;
            long most = Math.min(panel - from % panel, terms - from);
            long count = small ? STRETCHES.next(most) : most;
            TensorScope.run(() -> {
                Tensor transposed = wide(right.narrow(0, start, count)).t();
                for (int i = 0; i < sums.size(); i++) {
                    sums.get(i).addmm_(transposed, blocks.get(i).terms(start, count));
                }
            });
            from += count;
        }

        for (int i = 0; i < sums.size(); i++) {
            Block block = blocks.get(i);
            result.take(new Place(block.from(), block.count(), column, columns), block.product(sums.get(i), columns));
        }
    }

    /** So many columns are computed for {@code columns}. */
    private static long whole(long columns) {
        return roundedUp(Math.max(columns, LEAST_COLUMNS), COLUMNS);
    }

    /** The least multiple of {@code unit} that is not below {@code number}. */
    static long roundedUp(long number, long unit) {
        return (number + unit - 1) / unit * unit;
    }

    /** @return (k, n rounded up) in float32, with columns of zeros behind the others; in the layout of {@code right} */
    private static Tensor wide(Tensor right) {
        if (right.stride(0) == 1) {
            return wide(right.t(), 0).t();
        }

        return wide(right, 1);
    }

    /** @param at the dimension that is rounded up */
    private static Tensor wide(Tensor of, int at) {
        long columns = of.size(at);
        long whole = whole(columns);
        Tensor wide = at == 0 ? torch.empty(whole, of.size(1)) : torch.empty(of.size(0), whole);
        wide.narrow(at, 0, columns).copy_(of);
        wide.narrow(at, columns, whole - columns).zero_();
        return wide;
    }

    /**
     * Some rows of the left matrix.
     *
     * @param from the first of them
     * @param count how many they are
     * @param rows (rows with both ends, k), in float32
     */
    private record Block(long from, long count, Tensor rows) {
        /** @param first of the rows of {@code left} in the whole matrix */
        static List<Block> of(Tensor left, long first) {
            List<Block> blocks = new ArrayList<>();
            long most = BLOCK - 2 * EDGE;
            for (long from = 0; from < left.size(0); from += most) {
                long count = Math.min(most, left.size(0) - from);
                long whole = roundedUp(count + 2 * EDGE, TILE);
                Tensor rows = empty(whole, left);
                rows.narrow(0, 0, EDGE).zero_();
                rows.narrow(0, EDGE, count).copy_(left.narrow(0, from, count));
                rows.narrow(0, EDGE + count, whole - EDGE - count).zero_();
                blocks.add(new Block(first + from, count, rows));
            }

            return blocks;
        }

        /** (whole, k) in the layout of {@code left} (m, k), as a copy from one layout to the other takes ten times as long. */
        private static Tensor empty(long whole, Tensor left) {
            return left.stride(0) == 1 ? torch.empty(left.size(1), whole).t() : torch.empty(whole, left.size(1));
        }

        /** (count, rows with both ends) */
        Tensor terms(long start, long many) {
            return rows.narrow(1, start, many).t();
        }

        /** Without what belongs to both ends of {@code sum} (n rounded up, rows with both ends). */
        Tensor product(Tensor sum, long outputs) {
            return sum.narrow(0, 0, outputs).narrow(1, EDGE, count).t().contiguous();
        }
    }
}
