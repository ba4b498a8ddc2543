package org.sparkqlora.tensor.cuda;

import org.bytedeco.pytorch.Device;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.sparkqlora.quant.DynamicMap;
import org.sparkqlora.tensor.TensorMemory;
import org.sparkqlora.tensor.TensorScope;

/**
 * By libtorch's own operations, on any device, where CUDA's compiler is missing. Each operation below is one IEEE operation of float32 an
 * element, in the order of {@code adamw.cu}; libtorch's CUDA build, too, divides and takes roots with correct rounding, and what it fuses
 * (a sum with a factor of 1) is exact. Pages go one after the other, and temporaries take some 40 bytes for each of {@link #PIECE} elements
 * beside the window.
 */
public final class AdamWOperations implements GpuAdamW {
    /** Elements at a time, a multiple of a block. */
    static final int PIECE = 1 << 20;

    /** Stands in for that of a block of zeros, as in {@code adamw.cu}. */
    private static final float SMALLEST_ABSMAX = 1e-38f;

    private final Device device;
    private final Levels signed;
    private final Levels unsigned;

    /** On {@code device}, which may be the processor's. */
    public AdamWOperations(Device device) {
        this.device = device.retainReference();
        this.signed = Levels.of(DynamicMap.signed(), device);
        this.unsigned = Levels.of(DynamicMap.unsigned(), device);
    }

    @Override
    public AdamWPage page(int elements, int stateBytes) {
        return new OperationsPage(device, this, elements, stateBytes);
    }

    @Override
    public void close() {
        signed.close();
        unsigned.close();
        device.releaseReference();
    }

    /**
     * Takes a step on blocks whose state is in float32. In the shapes B is blocks, N elements of each.
     *
     * @param parameters (B, N)
     * @param gradients (B, N)
     * @param state (B, 2, N): means and squares
     */
    void stepFloat32(Tensor parameters, Tensor gradients, Tensor state, AdamWFactors by) {
        Tensor means = state.select(1, 0);
        Tensor squares = state.select(1, 1);
        Moments moments = move(parameters, gradients, means, squares, by);
        means.copy_(moments.means);
        squares.copy_(moments.squares);
    }

    /**
     * Takes a step on blocks whose state is in 8 bits.
     *
     * @param state (B, 2, N + 4): a byte an element, then the block's largest absolute value in float32
     */
    void stepEightBit(Tensor parameters, Tensor gradients, Tensor state, AdamWFactors by) {
        Tensor means = state.select(1, 0);
        Tensor squares = state.select(1, 1);
        Moments moments = move(parameters, gradients, signed.decode(means), unsigned.decode(squares), by);
        signed.encode(moments.means, means);
        unsigned.encode(moments.squares, squares);
    }

    private static Moments move(Tensor parameters, Tensor gradients, Tensor means, Tensor squares, AdamWFactors by) {
        Tensor gradient = gradients.mul(number(by.gradientScale()));
        Tensor mean = means.mul(number(by.keepMean())).add_(gradient.mul(number(by.addMean())));
        Tensor square = squares.mul(number(by.keepSquare()))
                .add_(gradient.mul(number(by.addSquare())).mul_(gradient));
        Tensor direction = mean.div(square.sqrt().add_(number(by.epsilon())));
        parameters.mul_(number(by.keepParameter())).sub_(direction.mul_(number(by.size())));
        return new Moments(mean, square);
    }

    private static Scalar number(float value) {
        return new Scalar((double) value); // exact, and rounded back to the same
    }

    private record Moments(Tensor means, Tensor squares) {}

    /** The levels of an 8-bit code and what lies between them, on the device. */
    private record Levels(Tensor values, Tensor midpoints) {
        static Levels of(float[] levels, Device device) {
            return new Levels(placed(levels, device), placed(DynamicMap.midpoints(levels), device));
        }

        /** (B, N + 4) bytes to (B, N) numbers. */
        Tensor decode(Tensor blocks) {
            Tensor codes = codes(blocks).to(ScalarType.Int);
            Tensor numbers = values.index_select(0, codes.reshape(-1)).view(codes.size(0), codes.size(1));
            Tensor aligned = absmax(blocks).reshape(-1).clone();
            return numbers.mul_(aligned.view(ScalarType.Float).unsqueeze(1));
        }

        /** (B, N) numbers to (B, N + 4) bytes. */
        void encode(Tensor numbers, Tensor blocks) {
            Tensor largest = numbers.abs().amax(new long[] {1}, true);
            Tensor inverse = torch.ones_like(largest).div(largest.clamp_min(number(SMALLEST_ABSMAX)));
            codes(blocks).copy_(torch.bucketize(numbers.mul(inverse), midpoints, true, false));
            absmax(blocks).copy_(largest.view(ScalarType.Byte));
        }

        void close() {
            values.releaseReference();
            midpoints.releaseReference();
        }

        private static Tensor codes(Tensor blocks) {
            return blocks.narrow(1, 0, blocks.size(1) - Float.BYTES);
        }

        private static Tensor absmax(Tensor blocks) {
            return blocks.narrow(1, blocks.size(1) - Float.BYTES, Float.BYTES);
        }

        private static Tensor placed(float[] values, Device device) {
            return TensorScope.detached(() -> TensorMemory.on(device, TensorMemory.floats(values, values.length)));
        }
    }
}
