package org.sparkqlora.tensor.cuda;

import org.bytedeco.javacpp.Pointer;
import org.bytedeco.pytorch.Tensor;
import org.sparkqlora.input.BadInputException;
import org.sparkqlora.tensor.FourBitExpansion;
import org.sparkqlora.tensor.FourBitMemory;
import org.sparkqlora.tensor.FourBitMemory.Nested;
import org.sparkqlora.tensor.FourBitMemory.Plain;

/** 4-bit weights to numbers on a GPU, in the stream that libtorch works in; see {@code dequantize.cu}. Safe for use by several threads. */
public final class DequantizeKernel implements FourBitExpansion {
    private static final int THREADS = 256;

    private final CudaKernels kernels;

    DequantizeKernel(CudaKernels kernels) {
        this.kernels = kernels;
    }

    /** Compiled for the card. */
    public static DequantizeKernel on(CudaDevice device) {
        return new DequantizeKernel(device.kernels(KernelSource.DEQUANTIZE));
    }

    @Override
    public void expand(FourBitMemory source, Tensor target) {
        KernelArguments arguments = new KernelArguments()
                .add(address(source.packed()))
                .add(address(source.levels()))
                .add(source.blockSize())
                .add(source.elements())
                .add(address(target));
        String scales = addScales(source.scales(), arguments);
        long bytes = (source.elements() + 1) / 2;
        String kernel = "dequantize_%s_%s".formatted(scales, number(target));
        kernels.launch(kernel, null, (bytes + THREADS - 1) / THREADS, THREADS, arguments);
    }

    private static String addScales(FourBitMemory.Scales scales, KernelArguments arguments) {
        if (scales instanceof Nested nested) {
            arguments
                    .add(address(nested.codes()))
                    .add(address(nested.map()))
                    .add(address(nested.absmax()))
                    .add(nested.blockSize())
                    .add(nested.offset());
            return "nested";
        }

        arguments.add(address(((Plain) scales).absmax()));
        return "plain";
    }

    private static String number(Tensor target) {
        return switch (target.scalar_type().intern()) {
            case Float -> "float32";
            case BFloat16 -> "bfloat16";
            case Half -> "float16";
            default ->
                throw new BadInputException("Cannot dequantise to %s: expected float32, bfloat16 or float16"
                        .formatted(target.scalar_type()));
        };
    }

    private static long address(Tensor tensor) {
        Pointer data = tensor.data_ptr();
        return data.address();
    }
}
