package org.sparkqlora.quant;

import org.jspecify.annotations.NullMarked;
import org.junit.jupiter.api.Nested;

/** Every code keeps the contract, in the smallest, the usual and the largest blocks. */
@NullMarked
class BlockCodecTest {
    @Nested
    class Nf4 extends FourBitContract {
        Nf4() {
            super(new QuantSpec(FourBitCode.NF4, 64, false));
        }
    }

    @Nested
    class Nf4InSmallestBlocks extends FourBitContract {
        Nf4InSmallestBlocks() {
            super(new QuantSpec(FourBitCode.NF4, 32, false));
        }
    }

    @Nested
    class Fp4 extends FourBitContract {
        Fp4() {
            super(new QuantSpec(FourBitCode.FP4, 64, false));
        }
    }

    @Nested
    class Fp4InLargestBlocks extends FourBitContract {
        Fp4InLargestBlocks() {
            super(new QuantSpec(FourBitCode.FP4, 4096, false));
        }
    }

    @Nested
    class SignedDynamic extends EightBitContract {
        SignedDynamic() {
            super(DynamicMap.signed());
        }
    }

    @Nested
    class UnsignedDynamic extends EightBitContract {
        UnsignedDynamic() {
            super(DynamicMap.unsigned());
        }
    }

    /** Through a whole tensor. */
    abstract static class FourBitContract extends BlockCodecContract {
        private final QuantSpec spec;

        FourBitContract(QuantSpec spec) {
            this.spec = spec;
        }

        @Override
        float[] levels() {
            return spec.code().levels();
        }

        @Override
        int blockSize() {
            return spec.blockSize();
        }

        @Override
        float[] roundTrip(float[] values) {
            return QuantTesting.floats(QuantTesting.quantize(spec, values));
        }
    }

    /** Block by block. */
    abstract static class EightBitContract extends BlockCodecContract {
        private final float[] map;

        EightBitContract(float[] map) {
            this.map = map;
        }

        @Override
        float[] levels() {
            return map.clone();
        }

        @Override
        int blockSize() {
            return 256;
        }

        @Override
        float[] roundTrip(float[] values) {
            EightBitCodec codec = new EightBitCodec(map);
            byte[] codes = new byte[values.length];
            float[] found = new float[values.length];
            for (int from = 0; from < values.length; from += blockSize()) {
                int count = Math.min(blockSize(), values.length - from);
                float absmax = codec.quantizeBlock(values, from, count, codes, from);
                codec.dequantizeBlock(codes, from, count, absmax, found, from);
            }

            return found;
        }
    }
}
