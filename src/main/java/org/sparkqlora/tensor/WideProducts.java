package org.sparkqlora.tensor;

import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.jspecify.annotations.Nullable;

/**
 * Products of 16-bit matrices, computed in float32 and rounded once, as oneDNN does where the processor multiplies bfloat16. Operands
 * are widened a panel at a time, so that a weight is never held in 32 bits.
 *
 * <p>A row of a product has the same bytes whatever rows are beside it, and wherever among them it lies, as oneDNN's has. OpenBLAS, which
 * multiplies float32, does not promise that. It sees matrices by columns, so the right matrix gives what it calls rows: its kernel for AVX2 adds
 * the terms of the first and of the last 8 of a block in another order than those between them. So products are computed a block of columns at
 * a time, with 8 columns of zeros at both ends, and with rows of zeros below the others.
 */
final class WideProducts {
    /** Whether OpenBLAS has its kernels for AVX-512. */
    private static final boolean AVX512 = ProcessorFlags.ofThisMachine().names().contains("avx512f");
    /** Columns at either end of a block that OpenBLAS computes apart. */
    private static final long EDGE = 8;
    /** A block has a multiple of as many columns. */
    private static final long TILE = 16;
    /** Columns of a block with its ends, at most: OpenBLAS takes as many at a time. */
    private static final long BLOCK = 320;
    /** Rows that the kernel takes together; those that are left over it adds in another order. */
    private static final long ROWS = 12;
    /** Rows of the result at a time: what is in float32 of them takes little memory in many threads. */
    private static final long MOST_ROWS = 50 * ROWS;
    /**
     * Rows, at least: with fewer than 1,200 numbers in a block's product the kernel for small matrices adds the terms of some layouts in yet
     * another order. OpenBLAS has it for AVX-512 alone.
     */
    private static final long LEAST_ROWS = AVX512 ? 4 * ROWS : ROWS;
    /**
     * Multiplications that OpenBLAS's kernel for small matrices ({@code sgemm_small_kernel_permit_skylakex.c}) takes at most. It adds all terms
     * up at once, where with more rows they are taken in stretches.
     */
    private static final long SMALL = 1_000_000;
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
        for (long from = 0; from < left.size(0); from += MOST_ROWS) {
            long row = from;
            long rows = Math.min(MOST_ROWS, left.size(0) - from);
            TensorScope.run(() -> {
                Tensor wide = wide(left.narrow(0, row, rows), 0, roundedUp(Math.max(rows, LEAST_ROWS), ROWS));
                long most = BLOCK - 2 * EDGE;
                for (long column = 0; column < right.size(1); column += most) {
                    long first = column;
                    long columns = Math.min(most, right.size(1) - column);
                    TensorScope.run(() -> result.take(
                            new Place(row, rows, first, columns),
                            block(wide, right.narrow(1, first, columns), panel).narrow(0, 0, rows)));
                }
            });
        }
    }

    /**
     * Terms are added in panels.
     *
     * @param left (m, k) in float32
     * @return (m, n) in float32
     */
    private static Tensor block(Tensor left, Tensor right, long panel) {
        long columns = right.size(1);
        long whole = roundedUp(columns + 2 * EDGE, TILE);
        long terms = right.size(0);
        Tensor sum = torch.zeros(left.size(0), whole);
        for (long from = 0; from < terms; ) {
            long start = from;
            long most = Math.min(panel - from % panel, terms - from);
            long count = LEAST_ROWS * whole * most <= SMALL ? STRETCHES.next(most) : most;
            TensorScope.run(() -> sum.addmm_(
                    left.narrow(1, start, count),
                    wide(right.narrow(0, start, count).t(), EDGE, whole).t()));
            from += count;
        }

        return sum.narrow(1, EDGE, columns);
    }

    /** The least multiple of {@code unit} that is not below {@code number}. */
    static long roundedUp(long number, long unit) {
        return (number + unit - 1) / unit * unit;
    }

    /**
     * A matrix in float32, with rows of zeros before and behind its own. It has the layout of {@code of}, as a copy from one layout to the other
     * takes ten times as long.
     *
     * @param before rows of zeros before the others
     * @param whole all rows
     */
    private static Tensor wide(Tensor of, long before, long whole) {
        long rows = of.size(0);
        Tensor wide = of.stride(0) == 1 ? torch.empty(of.size(1), whole).t() : torch.empty(whole, of.size(1));
        wide.narrow(0, 0, before).zero_();
        wide.narrow(0, before, rows).copy_(of);
        wide.narrow(0, before + rows, whole - before - rows).zero_();
        return wide;
    }
}
