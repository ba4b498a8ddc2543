package org.sparkqlora.tensor.cuda;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import java.nio.FloatBuffer;
import java.nio.file.Path;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Device;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.jspecify.annotations.NullMarked;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.sparkqlora.quant.FourBitCode;
import org.sparkqlora.quant.FourBitTensor;
import org.sparkqlora.quant.PlainScales;
import org.sparkqlora.tensor.FourBitExpansion;
import org.sparkqlora.tensor.FourBitMemory;
import org.sparkqlora.tensor.Natives;
import org.sparkqlora.tensor.OperationsExpansion;
import org.sparkqlora.tensor.TensorMemory;

/** A kernel compiled for a card stays on its host, and a later process runs it without a compiler. */
@NullMarked
abstract class CardKernelsContract {
    private static final int ELEMENTS = 128;

    @TempDir
    private Path folder;

    abstract CudaDevice card();

    /** For that card. */
    abstract KernelCompiler compiler();

    /** The device of the card's memory in libtorch. */
    abstract Device place();

    @Test
    void aLaterProcessRunsWhatWasKept() {
        Natives.load();
        String architecture = card().capability().architecture();
        KernelCompiler compiler = compiler();
        byte[] compiled = new KernelCache(folder, compiler).cubin(KernelSource.DEQUANTIZE, architecture);
        KernelCache later = new KernelCache(folder, new NoCompiler(compiler.identity()));

        byte[] kept = later.cubin(KernelSource.DEQUANTIZE, architecture);

        assertThat(kept).isEqualTo(compiled);
        assertThat(expanded(new DequantizeKernel(card().kernels(kept)))).isEqualTo(expanded(new OperationsExpansion()));
    }

    private float[] expanded(FourBitExpansion expansion) {
        byte[] packed = new byte[ELEMENTS / 2];
        for (int i = 0; i < packed.length; i++) {
            packed[i] = (byte) (37 * i);
        }

        FourBitTensor tensor = new FourBitTensor(
                FourBitCode.NF4, 64, ELEMENTS, ByteBuffer.wrap(packed), new PlainScales(new float[] {0.5f, 3}));
        try (FourBitMemory memory = FourBitMemory.of(tensor, place());
                PointerScope scope = new PointerScope()) {
            Tensor target = TensorMemory.empty(place(), ScalarType.Float, ELEMENTS);
            expansion.expand(memory, target);
            FloatBuffer numbers = TensorMemory.floatBuffer(TensorMemory.onHost(target));
            float[] values = new float[ELEMENTS];
            numbers.get(values);
            return values;
        }
    }

    /** Of the same version as another, and gone. */
    private record NoCompiler(String identity) implements KernelCompiler {
        @Override
        public byte[] cubin(KernelSource source, String architecture) {
            throw new IllegalStateException("Cannot compile: there is no compiler");
        }
    }
}
