package org.sparkqlora.tensor.cuda;

import java.nio.FloatBuffer;
import org.sparkqlora.quant.DynamicMap;

/** By a kernel of ours: see {@code adamw.cu}. */
public final class AdamWKernel implements GpuAdamW {
    private static final int LEVELS = 256;

    private final CudaKernels kernels;
    private final PinnedMemory maps;

    AdamWKernel(CudaKernels kernels) {
        this.kernels = kernels;
        this.maps = new PinnedMemory(kernels.device(), 4L * LEVELS * Float.BYTES);
        FloatBuffer tables = maps.buffer().asFloatBuffer();
        for (float[] map : new float[][] {DynamicMap.signed(), DynamicMap.unsigned()}) {
            tables.put(map).put(DynamicMap.midpoints(map)).put(Float.POSITIVE_INFINITY);
        }

        maps.upload(4L * LEVELS * Float.BYTES, null);
        kernels.device().synchronize(null);
    }

    /** Compiled for the card. */
    public static AdamWKernel on(CudaDevice device) {
        return new AdamWKernel(device.kernels(KernelSource.ADAMW));
    }

    @Override
    public AdamWPage page(int elements, int stateBytes) {
        return new KernelPage(kernels, this, elements, stateBytes);
    }

    /** The address of the {@code index}th table: signed map, its midpoints, unsigned map, its midpoints. */
    long table(int index) {
        return maps.address() + (long) index * LEVELS * Float.BYTES;
    }

    @Override
    public void close() {
        maps.close();
    }
}
