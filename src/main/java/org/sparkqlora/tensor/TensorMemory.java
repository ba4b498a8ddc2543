package org.sparkqlora.tensor;

import java.nio.ByteBuffer;
import java.nio.FloatBuffer;
import java.nio.ShortBuffer;
import org.bytedeco.javacpp.BytePointer;
import org.bytedeco.javacpp.FloatPointer;
import org.bytedeco.javacpp.ShortPointer;
import org.bytedeco.pytorch.Device;
import org.bytedeco.pytorch.DeviceOptional;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptions;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;

/** Java's view of the memory of CPU tensors, and tensors over Java's memory. */
public final class TensorMemory {
    private TensorMemory() {}

    /** An uninitialised tensor. */
    public static Tensor empty(ScalarType type, long... shape) {
        return torch.empty(shape, new TensorOptions(type), null);
    }

    /** An uninitialised tensor on {@code device}. */
    public static Tensor empty(Device device, ScalarType type, long... shape) {
        return torch.empty(shape, new TensorOptions(type).device(new DeviceOptional(device)), null);
    }

    /** {@code tensor} itself where it lies on {@code device}, otherwise a copy there. */
    public static Tensor on(Device device, Tensor tensor) {
        return tensor.to(device, tensor.scalar_type());
    }

    /** {@code tensor} itself where Java can read it, otherwise a copy there, once it is computed. */
    public static Tensor onHost(Tensor tensor) {
        return tensor.is_cpu() ? tensor : tensor.cpu();
    }

    /** A contiguous tensor of {@code size} along {@code dimension}, zeros behind what there is. */
    public static Tensor padded(Tensor tensor, int dimension, int size) {
        long count = tensor.size(dimension);
        if (count == size) {
            return tensor.contiguous();
        }

        long[] shape = tensor.sizes().vec().get();
        shape[dimension] = size;
        Tensor result = torch.zeros(shape, tensor.options());
        result.narrow(dimension, 0, count).copy_(tensor);
        return result;
    }

    /** A float32 tensor holding a copy of {@code values}. */
    public static Tensor floats(float[] values, long... shape) {
        Tensor tensor = empty(ScalarType.Float, shape);
        write(tensor, values, values.length);
        return tensor;
    }

    /** An int64 tensor holding a copy of {@code values}. */
    public static Tensor longs(long[] values) {
        Tensor tensor = empty(ScalarType.Long, values.length);
        new org.bytedeco.javacpp.LongPointer(tensor.data_ptr()).put(values, 0, values.length);
        return tensor;
    }

    /** A tensor over {@code buffer}'s memory, without copying: the buffer must be direct and outlive the tensor. */
    public static Tensor over(ByteBuffer buffer, ScalarType type, long... shape) {
        return torch.from_blob(new BytePointer(buffer), shape, new TensorOptions(type));
    }

    /** Copies the first {@code count} values of a float32 tensor's memory to {@code target}. */
    public static void read(Tensor tensor, float[] target, int count) {
        new FloatPointer(tensor.data_ptr()).get(target, 0, count);
    }

    /** Copies {@code count} values to the start of a float32 tensor's memory. */
    public static void write(Tensor tensor, float[] source, int count) {
        new FloatPointer(tensor.data_ptr()).put(source, 0, count);
    }

    /** Copies {@code count} bytes to elements {@code from ..} of a uint8 tensor's memory. */
    public static void write(Tensor tensor, long from, byte[] source, int count) {
        new BytePointer(tensor.data_ptr()).position(from).put(source, 0, count);
    }

    /** The memory of a float32 tensor, from its first number to its last. */
    public static FloatBuffer floatBuffer(Tensor tensor) {
        FloatPointer pointer = new FloatPointer(tensor.data_ptr());
        return pointer.capacity(extent(tensor)).asBuffer();
    }

    /** The memory of a tensor of bytes. */
    public static ByteBuffer byteBuffer(Tensor tensor) {
        BytePointer pointer = new BytePointer(tensor.data_ptr());
        return pointer.capacity(tensor.numel()).asBuffer();
    }

    /** The memory of a tensor without gaps. */
    static ByteBuffer bytes(Tensor tensor) {
        BytePointer pointer = new BytePointer(tensor.data_ptr());
        return pointer.capacity(tensor.nbytes()).asBuffer();
    }

    /** The memory of a bfloat16 tensor, from its first number to its last. */
    public static ShortBuffer shortBuffer(Tensor tensor) {
        ShortPointer pointer = new ShortPointer(tensor.data_ptr());
        return pointer.capacity(extent(tensor)).asBuffer();
    }

    /** There may be gaps between rows. */
    private static long extent(Tensor tensor) {
        long last = 0;
        for (int i = 0; i < tensor.dim(); i++) {
            last += (tensor.size(i) - 1) * tensor.stride(i);
        }

        return last + 1;
    }
}
