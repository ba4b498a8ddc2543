package org.sparkqlora.tensor;

import java.util.List;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;

/**
 * The stretches in which OpenBLAS takes the terms of a product ({@code level3.c}): each is added up from zero, in order, and then added to the sum of
 * those before. They differ by processor ({@code param.h}) and are tried once.
 *
 * @param most terms of a stretch
 * @param unrolled what the length of half a stretch is rounded up to
 */
record OpenBlasStretches(long most, long unrolled) {
    /** For AVX2, AVX-512, and AVX-512 with bfloat16. */
    private static final List<OpenBlasStretches> KNOWN =
            List.of(new OpenBlasStretches(320, 8), new OpenBlasStretches(448, 16), new OpenBlasStretches(320, 16));
    /** All terms at once, of a kernel that is not known. */
    private static final OpenBlasStretches UNKNOWN = new OpenBlasStretches(Long.MAX_VALUE / 2, 1);
    /** So many terms are cut in another way by each that is known. */
    private static final long TELLING = 656;

    /** Those of this machine. */
    static OpenBlasStretches here() {
        try (PointerScope scope = new PointerScope()) {
            Tensor left = waves(128, TELLING);
            Tensor right = waves(200, TELLING).t();
            Tensor expected = torch.mm(left, right);
            return KNOWN.stream()
                    .filter(stretches -> stretches.product(left, right).equal(expected))
                    .findFirst()
                    .orElse(UNKNOWN);
        }
    }

    private Tensor product(Tensor left, Tensor right) {
        Tensor sum = torch.zeros(left.size(0), right.size(1));
        long terms = left.size(1);
        for (long from = 0; from < terms; ) {
            long count = next(terms - from);
            sum.addmm_(left.narrow(1, from, count), right.narrow(0, from, count));
            from += count;
        }

        return sum;
    }

    /** The length of the next one where {@code left} terms are left. */
    long next(long left) {
        if (left >= 2 * most) {
            return most;
        }

        return left > most ? WideProducts.roundedUp(left / 2, unrolled) : left;
    }

    /** (rows, columns) in float32. */
    static Tensor waves(long rows, long columns) {
        return torch.arange(new Scalar(rows * columns))
                .to(ScalarType.Float)
                .sin()
                .view(rows, columns);
    }
}
