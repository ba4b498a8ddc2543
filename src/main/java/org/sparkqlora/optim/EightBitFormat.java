package org.sparkqlora.optim;

import java.nio.ByteBuffer;
import org.sparkqlora.quant.DynamicMap;
import org.sparkqlora.quant.EightBitCodec;

/** A byte a value, then the block's absmax in float32 ("8-bit Optimizers via Block-wise Quantization", arXiv:2110.02861). */
enum EightBitFormat implements StateFormat {
    SIGNED(DynamicMap.signed()),
    UNSIGNED(DynamicMap.unsigned());

    private final EightBitCodec codec;

    EightBitFormat(float[] map) {
        codec = new EightBitCodec(map);
    }

    @Override
    public int byteSize(int count) {
        return count + Float.BYTES;
    }

    @Override
    public void decode(ByteBuffer page, float[] target, int at, int count) {
        int codes = page.position();
        float absmax = page.getFloat(codes + count);
        codec.dequantizeBlock(page.array(), page.arrayOffset() + codes, count, absmax, target, at);
        page.position(codes + byteSize(count));
    }

    @Override
    public void encode(float[] source, int from, int count, ByteBuffer page) {
        int codes = page.position();
        float absmax = codec.quantizeBlock(source, from, count, page.array(), page.arrayOffset() + codes);
        page.putFloat(codes + count, absmax);
        page.position(codes + byteSize(count));
    }
}
