package org.sparkqlora.tensor;

import com.sun.jna.Library;
import com.sun.jna.Native;
import com.sun.jna.NativeLong;
import com.sun.jna.Structure;
import com.sun.jna.Structure.FieldOrder;

/** Bytes that {@code malloc} has allocated in this process and not freed. For tests on Linux, where the build runs. */
public final class NativeHeap {
    private NativeHeap() {}

    public static long bytesInUse() {
        Mallinfo info = Native.load("c", LibC.class).mallinfo2();
        return info.uordblks.longValue() + info.hblkhd.longValue();
    }

    /** Public because JNA makes a proxy of it. */
    public interface LibC extends Library {
        Mallinfo mallinfo2();
    }

    /** {@code struct mallinfo2} of glibc 2.33 and later. */
    @FieldOrder({
        "arena",
        "ordblks",
        "smblks",
        "hblks",
        "hblkhd",
        "usmblks",
        "fsmblks",
        "uordblks",
        "fordblks",
        "keepcost"
    })
    public static final class Mallinfo extends Structure implements Structure.ByValue {
        public NativeLong arena = new NativeLong();
        public NativeLong ordblks = new NativeLong();
        public NativeLong smblks = new NativeLong();
        public NativeLong hblks = new NativeLong();
        public NativeLong hblkhd = new NativeLong();
        public NativeLong usmblks = new NativeLong();
        public NativeLong fsmblks = new NativeLong();
        public NativeLong uordblks = new NativeLong();
        public NativeLong fordblks = new NativeLong();
        public NativeLong keepcost = new NativeLong();
    }
}
