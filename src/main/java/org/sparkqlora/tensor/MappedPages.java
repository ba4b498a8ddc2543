package org.sparkqlora.tensor;

import com.sun.jna.LastErrorException;
import com.sun.jna.Library;
import com.sun.jna.Native;
import com.sun.jna.NativeLong;
import com.sun.jna.Platform;
import com.sun.jna.Pointer;
import java.nio.ByteBuffer;
import org.bytedeco.pytorch.Tensor;

/**
 * Memory over a mapped file. Its pages count as resident memory of the process once they were touched, until they are given back;
 * the next touch maps them again, from the system's page cache or from the disk. Reading is right at any time.
 */
public final class MappedPages {
    /** {@code sys/mman.h}: the file's pages will be needed soon. */
    private static final int MADV_WILLNEED = 3;

    /** {@code sys/mman.h}: the process needs them no more; the file has them. */
    private static final int MADV_DONTNEED = 4;

    /** The mapping's owner, without which it could end. */
    private final Object memory;

    private final long address;
    private final long bytes;

    private MappedPages(Object memory, long address, long bytes) {
        this.memory = memory;
        this.address = address;
        this.bytes = bytes;
    }

    /** The pages of a buffer that a file is mapped to, from its first byte to its last. */
    public static MappedPages of(ByteBuffer mapped) {
        if (!mapped.isDirect()) {
            throw new IllegalArgumentException("Cannot find the pages of a buffer in Java's heap");
        }

        return new MappedPages(mapped, Pointer.nativeValue(Native.getDirectBufferPointer(mapped)), mapped.capacity());
    }

    /** The pages of a contiguous tensor that lies in a mapped file. */
    public static MappedPages of(Tensor mapped) {
        return new MappedPages(mapped, mapped.data_ptr().address(), mapped.nbytes());
    }

    /** Whether this system has what is needed. */
    public static boolean areSupported() {
        return Platform.isLinux();
    }

    public long bytes() {
        return bytes;
    }

    /** Has the system read the file's part into its page cache. Does not wait for the disk, as a rule. */
    public void ask() {
        advise(MADV_WILLNEED);
    }

    /** Takes the pages, and those they end in, from the process's resident memory. */
    public void giveBack() {
        advise(MADV_DONTNEED);
    }

    @Override
    public String toString() {
        return "%s bytes of %s".formatted(bytes, memory);
    }

    private void advise(int advice) {
        long page = Calls.PAGE;
        long first = address / page * page;
        long end = (address + bytes + page - 1) / page * page;
        if (bytes > 0) {
            Calls.LIBC.madvise(new Pointer(first), new NativeLong(end - first), advice);
        }
    }

    /** The part of the C library that is about pages. Public because JNA makes a proxy of it. */
    public interface LibC extends Library {
        int madvise(Pointer address, NativeLong length, int advice) throws LastErrorException;

        int getpagesize();
    }

    /** Loaded at first use. */
    private static final class Calls {
        private static final LibC LIBC = Native.load("c", LibC.class);
        private static final long PAGE = LIBC.getpagesize();
    }
}
