package org.sparkqlora.tensor;

import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptional;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.jspecify.annotations.Nullable;

/**
 * Matrix products of a model. They are libtorch's own, but for bfloat16 on a processor that does not multiply it: there libtorch takes five times
 * as long as for float32 with AVX-512, and ten times without, so {@link WideProducts} takes its place.
 */
public final class Products {
    private static final boolean WIDE = !ProcessorFlags.ofThisMachine().multiplyBfloat16();

    private static final Scalar ONE = new Scalar(1.0).retainReference();

    private Products() {}

    /** Left (m, k) times right (k, n): (m, n). */
    public static Tensor mm(Tensor left, Tensor right) {
        return wide(left) ? WideProducts.mm(left, right, null) : torch.mm(left, right);
    }

    /** As {@link #mm}, into {@code result} (m, n). */
    public static void mmInto(Tensor result, Tensor left, Tensor right) {
        if (wide(left)) {
            WideProducts.mmInto(result, left, right, null);
        } else {
            torch.mm_out(result, left, right);
        }
    }

    /** Adds {@code factor} times left (m, k) times right (k, n) to {@code sum} (m, n), which is returned. */
    public static Tensor addTo(Tensor sum, Tensor left, Tensor right, double factor) {
        return wide(left)
                ? WideProducts.addTo(sum, left, right, factor)
                : sum.addmm_(left, right, ONE, new Scalar(factor));
    }

    /** Input (m, k) times the transpose of weight (n, k): (m, n). */
    public static Tensor linear(Tensor input, Tensor weight) {
        return linear(input, weight, null);
    }

    /** As {@link #linear(Tensor, Tensor)}, and bias (n) added to each row. */
    public static Tensor linear(Tensor input, Tensor weight, @Nullable Tensor bias) {
        if (wide(input)) {
            return WideProducts.mm(input, weight.t(), bias);
        }

        return bias == null ? torch.linear(input, weight) : torch.linear(input, weight, new TensorOptional(bias));
    }

    /** Left (b, m, k) times right (b, k, n): (b, m, n). */
    public static Tensor bmm(Tensor left, Tensor right) {
        return wide(left) ? WideProducts.bmm(left, right) : torch.bmm(left, right);
    }

    private static boolean wide(Tensor operand) {
        return WIDE && operand.scalar_type().intern() == ScalarType.BFloat16 && !operand.is_cuda();
    }
}
