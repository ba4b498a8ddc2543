package org.sparkqlora.tensor;

import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.sparkqlora.tensor.FourBitMemory.Nested;
import org.sparkqlora.tensor.FourBitMemory.Plain;
import org.sparkqlora.tensor.FourBitMemory.Scales;

/** By libtorch's own operations, on any device; each rounds once. */
public final class OperationsExpansion implements FourBitExpansion {
    /** Weights at a time, a multiple of every block size: they pass through 16 bytes each. */
    private static final long PIECE = 1 << 22;

    @Override
    public void expand(FourBitMemory source, Tensor target) {
        Tensor flat = target.view(-1);
        for (long from = 0; from < source.elements(); from += PIECE) {
            long at = from;
            long count = Math.min(PIECE, source.elements() - from);
            TensorScope.run(() -> flat.narrow(0, at, count).copy_(piece(source, at, count)));
        }
    }

    private static Tensor piece(FourBitMemory source, long from, long count) {
        Tensor levels = source.levels().index_select(0, codes(source, from, count));
        long blocks = (count + source.blockSize() - 1) / source.blockSize();
        Tensor scales = scales(source.scales(), from / source.blockSize(), blocks);
        Tensor eachScale = scales.unsqueeze(1)
                .expand(blocks, source.blockSize())
                .reshape(-1)
                .narrow(0, 0, count);
        return levels.mul_(eachScale);
    }

    private static Tensor codes(FourBitMemory source, long from, long count) {
        Tensor bytes = source.packed().narrow(0, from / 2, (count + 1) / 2).to(ScalarType.Int);
        Tensor earlier = bytes.bitwise_right_shift(new Scalar(4));
        Tensor later = bytes.bitwise_and(new Scalar(15));
        return torch.stack(new TensorVector(earlier, later), 1).view(-1).narrow(0, 0, count);
    }

    private static Tensor scales(Scales scales, long from, long count) {
        if (scales instanceof Nested nested) {
            Tensor codes = nested.codes().narrow(0, from, count).to(ScalarType.Int);
            Tensor block = torch.arange(new Scalar(from), new Scalar(from + count), codes.options())
                    .floor_divide(new Scalar(nested.blockSize()));
            Tensor product =
                    nested.map().index_select(0, codes).mul_(nested.absmax().index_select(0, block));
            return product.add_(new Scalar((double) nested.offset()));
        }

        return ((Plain) scales).absmax().narrow(0, from, count);
    }
}
