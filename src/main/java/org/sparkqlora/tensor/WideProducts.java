package org.sparkqlora.tensor;

import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.jspecify.annotations.Nullable;

/**
 * Products of 16-bit matrices, computed in float32 and rounded once, as oneDNN does where the processor multiplies bfloat16. Operands
 * are widened a panel at a time, so that a weight is never held in 32 bits.
 */
final class WideProducts {
    /** Rows of the result at a time. */
    private static final long ROWS = 1024;
    /** Numbers of the right matrix at a time: 8 MiB in float32. */
    private static final long PANEL = 1 << 21;
    /** Fewer terms than this at a time leave a product that is slower than its parts. */
    private static final long LEAST_TERMS = 256;

    private WideProducts() {}

    static Tensor mm(Tensor left, Tensor right, @Nullable Tensor bias) {
        Tensor result = left.new_empty(left.size(0), right.size(1));
        mmInto(result, left, right, bias);
        return result;
    }

    /** @param bias (n), in the type of the operands */
    static void mmInto(Tensor result, Tensor left, Tensor right, @Nullable Tensor bias) {
        inRows(result, left, (rows, of) -> {
            Tensor product = product(of, right);
            rows.copy_(bias == null ? product : product.add_(bias));
        });
    }

    static Tensor addTo(Tensor sum, Tensor left, Tensor right, double factor) {
        inRows(sum, left, (rows, of) -> rows.copy_(wide(rows).add_(product(of, right), new Scalar(factor))));
        return sum;
    }

    static Tensor bmm(Tensor left, Tensor right) {
        return TensorScope.keep(() -> torch.bmm(wide(left), wide(right)).to(left.scalar_type()));
    }

    private interface RowsOf {
        void set(Tensor rows, Tensor left);
    }

    private static void inRows(Tensor result, Tensor left, RowsOf body) {
        long size = left.size(0);
        for (long from = 0; from < size; from += ROWS) {
            long start = from;
            long count = Math.min(ROWS, size - from);
            TensorScope.run(() -> body.set(result.narrow(0, start, count), left.narrow(0, start, count)));
        }
    }

    /** In float32, (m, n): panels are added in their order. */
    private static Tensor product(Tensor left, Tensor right) {
        long terms = right.size(0);
        long panel = Math.max(LEAST_TERMS, PANEL / Math.max(1, right.size(1)));
        Tensor sum = TensorScope.keep(() -> torch.mm(
                wide(left.narrow(1, 0, Math.min(panel, terms))), wide(right.narrow(0, 0, Math.min(panel, terms)))));
        for (long from = panel; from < terms; from += panel) {
            long start = from;
            long count = Math.min(panel, terms - from);
            TensorScope.run(() -> sum.addmm_(wide(left.narrow(1, start, count)), wide(right.narrow(0, start, count))));
        }

        return sum;
    }

    private static Tensor wide(Tensor of) {
        return of.to(ScalarType.Float);
    }
}
