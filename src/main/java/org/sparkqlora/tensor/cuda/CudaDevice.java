package org.sparkqlora.tensor.cuda;

import com.sun.jna.Memory;
import com.sun.jna.Native;
import com.sun.jna.Pointer;
import com.sun.jna.ptr.IntByReference;
import com.sun.jna.ptr.LongByReference;
import com.sun.jna.ptr.PointerByReference;
import org.jspecify.annotations.Nullable;

/**
 * One GPU. It works in the context that libtorch works in too, so that both see the same memory. Safe for use by several threads;
 * each call takes place in its own thread.
 */
public final class CudaDevice {
    private static final int MAJOR = 75;
    private static final int MINOR = 76;
    private static final int LONGEST_NAME = 256;

    private final DriverApi api;
    private final CudaResult results;
    private final int ordinal;
    private final int handle;
    private final Pointer context;

    private CudaDevice(DriverApi api, CudaResult results, int ordinal, int handle, Pointer context) {
        this.api = api;
        this.results = results;
        this.ordinal = ordinal;
        this.handle = handle;
        this.context = context;
    }

    static CudaDevice open(DriverApi api, int ordinal) {
        CudaResult results = new CudaResult(api);
        IntByReference handle = new IntByReference();
        PointerByReference context = new PointerByReference();
        results.require(api.cuDeviceGet(handle, ordinal), "open GPU " + ordinal);
        results.require(api.cuDevicePrimaryCtxRetain(context, handle.getValue()), "open GPU " + ordinal);
        return new CudaDevice(api, results, ordinal, handle.getValue(), context.getValue());
    }

    public int ordinal() {
        return ordinal;
    }

    public String name() {
        byte[] name = new byte[LONGEST_NAME];
        results.require(api.cuDeviceGetName(name, LONGEST_NAME, handle), "name a GPU");
        return Native.toString(name);
    }

    public ComputeCapability capability() {
        return new ComputeCapability(attribute(MAJOR), attribute(MINOR));
    }

    /** Memory of the card. */
    public long bytes() {
        LongByReference bytes = new LongByReference();
        results.require(api.cuDeviceTotalMem_v2(bytes, handle), "ask for a GPU's memory");
        return bytes.getValue();
    }

    /** The bytes of the card's memory in use, by all processes. libtorch gives back nothing, so that it is the most that it has held. */
    public long takenBytes() {
        enter();
        LongByReference free = new LongByReference();
        LongByReference total = new LongByReference();
        results.require(api.cuMemGetInfo_v2(free, total), "ask for a GPU's free memory");
        return total.getValue() - free.getValue();
    }

    /** Kernels for this card, compiled unless this host has them. */
    public CudaKernels kernels(KernelSource source) {
        KernelCompiler compiler = KernelCache.ofHost(Nvrtc.find());
        return kernels(compiler.cubin(source, capability().architecture()));
    }

    /** Kernels that were compiled for this card. */
    CudaKernels kernels(byte[] image) {
        enter();
        Memory memory = new Memory(image.length);
        memory.write(0, image, 0, image.length);
        PointerByReference module = new PointerByReference();
        results.require(api.cuModuleLoadData(module, memory), "load kernels");
        return new CudaKernels(this, module.getValue(), memory);
    }

    DriverApi api() {
        return api;
    }

    /** Makes this GPU the one that calls of this thread mean. */
    void enter() {
        require(api.cuCtxSetCurrent(context), "use GPU " + ordinal);
    }

    void require(int result, String action) {
        results.require(result, action);
    }

    /** Waits for all that was put into {@code stream}; null is the one that libtorch works in unless told otherwise. */
    void synchronize(@Nullable Pointer stream) {
        require(api.cuStreamSynchronize(stream), "wait for GPU " + ordinal);
    }

    private int attribute(int attribute) {
        IntByReference value = new IntByReference();
        results.require(api.cuDeviceGetAttribute(value, attribute, handle), "ask for a GPU's properties");
        return value.getValue();
    }
}
