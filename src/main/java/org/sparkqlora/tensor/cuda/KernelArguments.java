package org.sparkqlora.tensor.cuda;

import com.sun.jna.Memory;
import com.sun.jna.Native;
import com.sun.jna.Pointer;
import java.util.ArrayList;
import java.util.List;

/** Arguments of a kernel in their order, as a launch takes them: the address of each. They are copied when the kernel is launched. */
final class KernelArguments {
    private final List<Memory> values = new ArrayList<>();

    /** The address of device memory, or any other 64 bits. */
    KernelArguments add(long value) {
        Memory memory = new Memory(Long.BYTES);
        memory.setLong(0, value);
        values.add(memory);
        return this;
    }

    KernelArguments add(int value) {
        Memory memory = new Memory(Integer.BYTES);
        memory.setInt(0, value);
        values.add(memory);
        return this;
    }

    /** A float, or a structure of floats. */
    KernelArguments add(float... value) {
        Memory memory = new Memory((long) value.length * Float.BYTES);
        memory.write(0, value, 0, value.length);
        values.add(memory);
        return this;
    }

    /** Valid as long as this is. */
    Pointer addresses() {
        Memory addresses = new Memory((long) Math.max(1, values.size()) * Native.POINTER_SIZE);
        for (int i = 0; i < values.size(); i++) {
            addresses.setPointer((long) i * Native.POINTER_SIZE, values.get(i));
        }

        return addresses;
    }
}
