package org.sparkqlora.quant;

import java.nio.ByteBuffer;
import org.sparkqlora.input.BadInputException;

/**
 * Quantises tensors to 4 bits: {@code absmax = max |x|} of a block, {@code code = nearest(x * (1 / absmax))}, in float32
 * and equal to bitsandbytes' reference bit for bit. With double quantisation {@code absmax - mean(absmax)} is stored in 8
 * bits. Safe for concurrent use.
 */
public final class FourBitQuantizer {
    /** Weights read at a time, a multiple of every block size: small enough to stay in cache. */
    private static final int CHUNK = 4 * BlockSize.LARGEST;

    private final QuantSpec spec;
    private final FourBitEncoder encoder;
    private final Workers workers;

    public FourBitQuantizer(QuantSpec spec, Workers workers) {
        this(spec, workers, FourBitEncoder.fastest(spec.code()));
    }

    FourBitQuantizer(QuantSpec spec, Workers workers, FourBitEncoder encoder) {
        this.spec = spec;
        this.encoder = encoder;
        this.workers = workers;
    }

    /** Reads {@code source} once and quantises it; refuses values that are not finite. */
    public FourBitTensor quantize(FloatSource source) {
        long elements = source.length();
        float[] absmax = new float[BlockSize.blocks(elements, spec.blockSize())];
        byte[] packed = new byte[Math.toIntExact((elements + 1) / 2)];
        workers.forRanges(elements, CHUNK, (from, to) -> quantizeRange(source, from, to, absmax, packed));
        BlockScales scales = spec.doubleQuant() ? NestedScales.quantized(absmax) : new PlainScales(absmax);
        return new FourBitTensor(spec.code(), spec.blockSize(), elements, ByteBuffer.wrap(packed), scales);
    }

    private void quantizeRange(FloatSource source, long from, long to, float[] absmax, byte[] packed) {
        float[] values = new float[CHUNK];
        for (long chunk = from; chunk < to; chunk += CHUNK) {
            int count = (int) Math.min(CHUNK, to - chunk);
            source.read(chunk, values, count);
            for (int at = 0; at < count; at += spec.blockSize()) {
                int length = Math.min(spec.blockSize(), count - at);
                long first = chunk + at;
                absmax[(int) (first / spec.blockSize())] =
                        quantizeBlock(values, at, length, packed, (int) (first / 2), first);
            }
        }
    }

    private float quantizeBlock(float[] values, int from, int count, byte[] packed, int at, long firstIndex) {
        float absmax = encoder.absmax(values, from, count);
        if (!Float.isFinite(absmax)) {
            throw notFinite(values, from, firstIndex);
        }

        encoder.encode(values, from, count, BlockArithmetic.inverse(absmax), packed, at);
        return absmax;
    }

    private static IllegalArgumentException notFinite(float[] values, int from, long firstIndex) {
        int at = from;
        while (Float.isFinite(values[at])) {
            at++;
        }

        return new BadInputException("Cannot quantise element %d: expected a finite number, found %s"
                .formatted(firstIndex + at - from, values[at]));
    }
}
