package org.sparkqlora.optim;

import java.nio.ByteBuffer;
import org.sparkqlora.quant.DynamicMap;
import org.sparkqlora.quant.EightBitCodec;

/** The layout of one state of one block in a page. Zero bytes are zeros in every format. */
sealed interface StateFormat {
    /** Elements in a block, the last of a run perhaps excepted. */
    int BLOCK = 256;

    int byteSize(int count);

    /** Reads {@code count} values at the page's position and moves past them. */
    void decode(ByteBuffer page, float[] target, int at, int count);

    /** Writes {@code count} values at the page's position and moves past them. */
    void encode(float[] source, int from, int count, ByteBuffer page);

    /** The format of a state in 8 bits. */
    static StateFormat eightBit(StateRange range) {
        return switch (range) {
            case ANY -> EightBitFormat.SIGNED;
            case NOT_NEGATIVE -> EightBitFormat.UNSIGNED;
        };
    }

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

    /** Values as they are, in the byte order of the page. */
    enum Float32Format implements StateFormat {
        INSTANCE;

        @Override
        public int byteSize(int count) {
            return Float.BYTES * count;
        }

        @Override
        public void decode(ByteBuffer page, float[] target, int at, int count) {
            page.asFloatBuffer().get(target, at, count);
            page.position(page.position() + byteSize(count));
        }

        @Override
        public void encode(float[] source, int from, int count, ByteBuffer page) {
            page.asFloatBuffer().put(source, from, count);
            page.position(page.position() + byteSize(count));
        }
    }
}
