package org.sparkqlora.tensor.cuda;

import com.sun.jna.Library;
import com.sun.jna.Memory;
import com.sun.jna.Pointer;
import com.sun.jna.ptr.IntByReference;
import com.sun.jna.ptr.LongByReference;
import com.sun.jna.ptr.PointerByReference;
import org.jspecify.annotations.Nullable;

/** The part of {@code cuda.h} that is called. Device addresses and sizes are 64 bits. Public because JNA makes a proxy of it. */
public interface DriverApi extends Library {
    int cuInit(int flags);

    int cuDeviceGetCount(IntByReference count);

    int cuDeviceGet(IntByReference device, int ordinal);

    int cuDeviceGetName(byte[] name, int length, int device);

    int cuDeviceGetAttribute(IntByReference value, int attribute, int device);

    int cuDeviceTotalMem_v2(LongByReference bytes, int device);

    int cuMemGetInfo_v2(LongByReference free, LongByReference total);

    int cuDevicePrimaryCtxRetain(PointerByReference context, int device);

    int cuCtxSetCurrent(Pointer context);

    int cuModuleLoadData(PointerByReference module, Memory image);

    int cuModuleGetFunction(PointerByReference function, Pointer module, String name);

    int cuMemAlloc_v2(LongByReference address, long bytes);

    int cuMemFree_v2(long address);

    int cuMemHostAlloc(PointerByReference memory, long bytes, int flags);

    int cuMemFreeHost(Pointer memory);

    int cuStreamCreate(PointerByReference stream, int flags);

    int cuStreamDestroy_v2(Pointer stream);

    int cuStreamSynchronize(@Nullable Pointer stream);

    int cuMemcpyHtoDAsync_v2(long device, Pointer host, long bytes, @Nullable Pointer stream);

    int cuMemcpyDtoHAsync_v2(Pointer host, long device, long bytes, @Nullable Pointer stream);

    int cuLaunchKernel(
            Pointer function,
            int gridX,
            int gridY,
            int gridZ,
            int threadsX,
            int threadsY,
            int threadsZ,
            int sharedBytes,
            @Nullable Pointer stream,
            Pointer arguments,
            @Nullable Pointer extra);

    int cuGetErrorString(int result, PointerByReference text);
}
