package org.sparkqlora.run.model;

import java.nio.ByteBuffer;
import java.nio.FloatBuffer;
import org.sparkqlora.quant.FloatSource;
import org.sparkqlora.quant.FourBitDequantizer;
import org.sparkqlora.quant.FourBitQuantizer;
import org.sparkqlora.quant.FourBitTensor;
import org.sparkqlora.quant.QuantSpec;
import org.sparkqlora.quant.Workers;

/** A weight in 4 bits, laid open: arrays of bytes, numbers in them little endian. */
public final class FourBitWeight {
    private final FourBitTensor tensor;
    private final float[] restored;

    private FourBitWeight(FourBitTensor tensor, float[] restored) {
        this.tensor = tensor;
        this.restored = restored;
    }

    static FourBitWeight of(FloatSource source, QuantSpec spec, Workers workers) {
        FourBitTensor tensor = new FourBitQuantizer(spec, workers).quantize(source);
        float[] restored = new float[Math.toIntExact(source.length())];
        new FourBitDequantizer(workers).toFloat(tensor, FloatBuffer.wrap(restored));
        return new FourBitWeight(tensor, restored);
    }

    /** The sixteen values that a code stands for before it is scaled, as float32. */
    public byte[] levels() {
        return ModelWeights.bytes(tensor.levels());
    }

    /** A byte a weight, 0 to 15. */
    public byte[] codes() {
        byte[] codes = new byte[restored.length];
        ByteBuffer packed = tensor.packed();
        for (int i = 0; i < codes.length; i++) {
            int pair = packed.get(i / 2) & 0xff;
            codes[i] = (byte) (i % 2 == 0 ? pair >>> 4 : pair & 0xf);
        }

        return codes;
    }

    /** The scale of every block as training uses it, as float32. */
    public byte[] scales() {
        float[] scales = new float[tensor.scales().count()];
        tensor.scales().read(0, scales.length, scales);
        return ModelWeights.bytes(scales);
    }

    /** The weight turned back into numbers, as float32. */
    public byte[] restored() {
        return ModelWeights.bytes(restored);
    }

    /** Bytes of codes and scales. */
    public long byteSize() {
        return tensor.byteSize();
    }
}
