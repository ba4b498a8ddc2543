package org.sparkqlora.tensor;

import java.nio.ByteBuffer;
import java.util.stream.Stream;
import org.bytedeco.pytorch.Device;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.sparkqlora.quant.BlockScales;
import org.sparkqlora.quant.FourBitTensor;
import org.sparkqlora.quant.NestedScales;
import org.sparkqlora.quant.PlainScales;

/**
 * A 4-bit tensor in the memory of a device; all tensors without gaps.
 *
 * @param packed two codes a byte, uint8
 * @param levels the value of each code, (16), float32
 * @param blockSize weights that share a scale
 * @param elements number of weights
 */
public record FourBitMemory(Tensor packed, Tensor levels, Scales scales, int blockSize, long elements)
        implements AutoCloseable {
    /** The largest absolute value of each block. */
    public sealed interface Scales {
        Stream<Tensor> tensors();
    }

    /** As they were measured: (blocks), float32. */
    public record Plain(Tensor absmax) implements Scales {
        @Override
        public Stream<Tensor> tensors() {
            return Stream.of(absmax);
        }
    }

    /**
     * {@code map[code] * absmax[block / blockSize] + offset}.
     *
     * @param codes (blocks), uint8
     * @param map (256), float32
     * @param absmax one for each {@code blockSize} scales, float32
     */
    public record Nested(Tensor codes, Tensor map, Tensor absmax, int blockSize, float offset) implements Scales {
        @Override
        public Stream<Tensor> tensors() {
            return Stream.of(codes, map, absmax);
        }
    }

    /** Copies a tensor to {@code device}; to be closed. */
    public static FourBitMemory of(FourBitTensor tensor, Device device) {
        return new FourBitMemory(
                bytes(tensor.packed(), device),
                floats(tensor.levels(), device),
                scales(tensor.scales(), device),
                tensor.blockSize(),
                tensor.elements());
    }

    /** All that it holds. */
    Stream<Tensor> tensors() {
        return Stream.concat(Stream.of(packed, levels), scales.tensors());
    }

    @Override
    public void close() {
        tensors().forEach(Tensor::releaseReference);
    }

    private static Scales scales(BlockScales scales, Device device) {
        if (scales instanceof NestedScales nested) {
            return new Nested(
                    bytes(nested.codes(), device),
                    floats(nested.map(), device),
                    floats(nested.absmax(), device),
                    nested.blockSize(),
                    nested.offset());
        }

        return new Plain(floats(((PlainScales) scales).absmax(), device));
    }

    private static Tensor floats(float[] values, Device device) {
        return TensorScope.detached(() -> TensorMemory.on(device, TensorMemory.floats(values, values.length)));
    }

    /** Of a mapped file out of the page cache, with no copy between. */
    private static Tensor bytes(ByteBuffer source, Device device) {
        return TensorScope.detached(() -> {
            Tensor target = TensorMemory.empty(device, ScalarType.Byte, source.remaining());
            return target.copy_(onHost(source));
        });
    }

    private static Tensor onHost(ByteBuffer source) {
        if (source.isDirect()) {
            return TensorMemory.over(source, ScalarType.Byte, source.remaining());
        }

        byte[] values = new byte[source.remaining()];
        source.get(values);
        Tensor here = TensorMemory.empty(ScalarType.Byte, values.length);
        TensorMemory.write(here, 0, values, values.length);
        return here;
    }
}
