package org.sparkqlora.tensor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.nio.ShortBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.CompletionException;
import java.util.function.BiFunction;
import java.util.stream.Stream;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Device;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.jspecify.annotations.NullMarked;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.sparkqlora.quant.BlockScales;
import org.sparkqlora.quant.DynamicMap;
import org.sparkqlora.quant.FourBitCode;
import org.sparkqlora.quant.FourBitDequantizer;
import org.sparkqlora.quant.FourBitTensor;
import org.sparkqlora.quant.NestedScales;
import org.sparkqlora.quant.PlainScales;
import org.sparkqlora.quant.Workers;

/** Dequantisation of 4-bit weights on a device gives the bits of the processor's. */
@NullMarked
public abstract class FourBitExpansionContract {
    protected abstract FourBitExpansion expansion();

    /** The device under test. */
    protected Device device() {
        return new Device("cpu");
    }

    static Stream<Arguments> tensors() {
        return Stream.of(32, 64, 128, 4096)
                .flatMap(blockSize ->
                        Stream.of(1, 31, 64, 100, 4097, 70_001).map(elements -> Arguments.of(blockSize, elements)));
    }

    @ParameterizedTest(name = "blocks of {0}, {1} elements")
    @MethodSource("tensors")
    public void nestedScalesGiveTheSameBits(int blockSize, int elements) {
        check(FourBitCode.NF4, blockSize, elements, FourBitExpansionContract::nested);
    }

    @ParameterizedTest(name = "blocks of {0}, {1} elements")
    @MethodSource("tensors")
    public void plainScalesGiveTheSameBits(int blockSize, int elements) {
        check(FourBitCode.FP4, blockSize, elements, FourBitExpansionContract::plain);
    }

    private void check(
            FourBitCode code, int blockSize, int elements, BiFunction<SplittableRandom, Integer, BlockScales> scales) {
        FourBitTensor tensor = random(code, blockSize, elements, scales);
        try (Workers workers = new Workers(1);
                FourBitMemory memory = FourBitMemory.of(tensor, device());
                PointerScope scope = new PointerScope()) {
            FourBitDequantizer dequantizer = new FourBitDequantizer(workers);
            FloatBuffer floats = direct(elements * Float.BYTES).asFloatBuffer();
            dequantizer.toFloat(tensor, floats);
            assertThat(bits(expanded(memory, ScalarType.Float))).isEqualTo(bits(floats));

            ShortBuffer shorts = direct(elements * Short.BYTES).asShortBuffer();
            dequantizer.toBfloat16(tensor, shorts);
            assertThat(shorts(TensorMemory.shortBuffer(expanded(memory, ScalarType.BFloat16))))
                    .isEqualTo(shorts(shorts));

            Tensor rounded = TensorMemory.empty(ScalarType.Float, elements);
            TensorMemory.floatBuffer(rounded).put(floats.duplicate());
            assertThat(shorts(TensorMemory.shortBuffer(expanded(memory, ScalarType.Half))))
                    .isEqualTo(shorts(TensorMemory.shortBuffer(rounded.to(ScalarType.Half))));
        }
    }

    /** As of a layer that is asked for while another computes. */
    @Test
    public void whatIsCopiedBeforeItsUseIsCopiedOnceAndGivesTheSameBits() {
        FourBitTensor tensor = random(FourBitCode.NF4, 64, 100, FourBitExpansionContract::nested);
        List<Runnable> copies = new ArrayList<>();
        try (Workers workers = new Workers(1);
                PointerScope scope = new PointerScope();
                CopyStream stream = CopyStream.on(device());
                BaseMatrix.Uploaded weight =
                        new BaseMatrix.Uploaded(tensor, Hardware.operations(device(), expansion()), stream)) {
            FourBitDequantizer dequantizer = new FourBitDequantizer(workers);
            FloatBuffer floats = direct(100 * Float.BYTES).asFloatBuffer();
            dequantizer.toFloat(tensor, floats);
            weight.ask(copies::add);
            weight.ask(copies::add);
            assertThat(copies).hasSize(1);
            copies.get(0).run();

            assertThat(used(weight, dequantizer)).isEqualTo(bits(floats));
            assertThat(used(weight, dequantizer)).isEqualTo(bits(floats)); // copied where it is used
            weight.ask(copies::add);
            assertThat(copies).hasSize(2);
            copies.get(1).run(); // and never used
        }
    }

    @Test
    public void whyACopyFailedIsToldWhereItIsUsed() {
        FourBitTensor tensor = random(FourBitCode.NF4, 64, 100, FourBitExpansionContract::nested);
        Hardware missing = Hardware.operations(new Device("cuda:99"), expansion());
        try (Workers workers = new Workers(1);
                PointerScope scope = new PointerScope();
                CopyStream stream = CopyStream.on(device());
                BaseMatrix.Uploaded weight = new BaseMatrix.Uploaded(tensor, missing, stream)) {
            weight.ask(Runnable::run);

            assertThatThrownBy(() -> used(weight, new FourBitDequantizer(workers)))
                    .isNotInstanceOf(CompletionException.class)
                    .hasMessageContaining("CUDA");
            weight.ask(Runnable::run); // and never used
        }
    }

    private int[] used(BaseMatrix weight, FourBitDequantizer dequantizer) {
        return bits(TensorMemory.onHost(
                weight.materialize(TensorMemory.empty(device(), ScalarType.Float, 10, 10), dequantizer)));
    }

    private static FourBitTensor random(
            FourBitCode code, int blockSize, int elements, BiFunction<SplittableRandom, Integer, BlockScales> scales) {
        Natives.load();
        SplittableRandom random = new SplittableRandom(31L * blockSize + elements);
        byte[] packed = new byte[(elements + 1) / 2];
        random.nextBytes(packed);
        return new FourBitTensor(
                code,
                blockSize,
                elements,
                ByteBuffer.wrap(packed),
                scales.apply(random, (elements + blockSize - 1) / blockSize));
    }

    private Tensor expanded(FourBitMemory memory, ScalarType type) {
        Tensor target = TensorMemory.empty(device(), type, memory.elements());
        expansion().expand(memory, target);
        return TensorMemory.onHost(target);
    }

    private static int[] bits(Tensor tensor) {
        return bits(TensorMemory.floatBuffer(tensor));
    }

    private static int[] bits(FloatBuffer floats) {
        int[] bits = new int[floats.remaining()];
        for (int i = 0; i < bits.length; i++) {
            bits[i] = Float.floatToRawIntBits(floats.get(i));
        }

        return bits;
    }

    private static short[] shorts(ShortBuffer buffer) {
        short[] values = new short[buffer.remaining()];
        buffer.duplicate().get(values);
        return values;
    }

    private static ByteBuffer direct(int bytes) {
        return ByteBuffer.allocateDirect(bytes).order(ByteOrder.nativeOrder());
    }

    /** Of all magnitudes, so that rounding meets the smallest and the largest halves too. */
    private static BlockScales plain(SplittableRandom random, int count) {
        float[] absmax = new float[count];
        for (int i = 0; i < count; i++) {
            absmax[i] = (float) (random.nextDouble(0.5, 1) * Math.pow(10, random.nextInt(-9, 6)));
        }

        return new PlainScales(absmax);
    }

    private static BlockScales nested(SplittableRandom random, int count) {
        byte[] codes = new byte[count];
        random.nextBytes(codes);
        float[] absmax = new float[(count + NestedScales.BLOCK_SIZE - 1) / NestedScales.BLOCK_SIZE];
        for (int i = 0; i < absmax.length; i++) {
            absmax[i] = (float) random.nextDouble(0.01, 0.1);
        }

        return new NestedScales(codes, DynamicMap.signed(), absmax, NestedScales.BLOCK_SIZE, 0.0371f);
    }
}
