package org.sparkqlora.tensor;

import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;

/**
 * A product as a linear layer has it, (m, k) times the transpose of (n, k), to be timed: how fast this process multiplies is the
 * limit of how fast it trains. Of random numbers, for zeros may take less time.
 */
public final class MatrixProduct implements AutoCloseable {
    private final Tensor left;
    private final Tensor right;

    private MatrixProduct(ScalarType type, long m, long k, long n) {
        this.left = TensorScope.detached(() -> torch.randn(m, k).to(type));
        this.right = TensorScope.detached(() -> torch.randn(n, k).to(type));
    }

    public static MatrixProduct bfloat16(long m, long k, long n) {
        Natives.load();
        return new MatrixProduct(ScalarType.BFloat16, m, k, n);
    }

    public static MatrixProduct float32(long m, long k, long n) {
        Natives.load();
        return new MatrixProduct(ScalarType.Float, m, k, n);
    }

    /** Multiplications and additions of one product. */
    public long operations() {
        return 2 * left.size(0) * left.size(1) * right.size(0);
    }

    /** Computes the product and drops it. */
    public void run() {
        try (PointerScope scope = new PointerScope()) {
            Products.linear(left, right);
        }
    }

    @Override
    public void close() {
        left.releaseReference();
        right.releaseReference();
    }
}
