package org.sparkqlora.spark.blocks;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Objects;
import org.apache.spark.util.io.ChunkedByteBuffer;
import org.jspecify.annotations.Nullable;

/**
 * Memory for a block outside Java's heap, zeros at first. Blocks of many megabytes in the heap are copied by each collection of it: that
 * took a quarter of the processor time of a step that exchanges much. It is freed when it is closed or, once a process keeps it as a
 * block, when the block is forgotten. Used by one thread.
 */
public final class BlockMemory implements AutoCloseable {
    private @Nullable ByteBuffer bytes;

    public BlockMemory(int length) {
        this.bytes = ByteBuffer.allocateDirect(length);
    }

    /** All of it, little endian. */
    public ByteBuffer bytes() {
        return open().duplicate().order(ByteOrder.LITTLE_ENDIAN);
    }

    /** For the process to keep: it is not freed here any more. */
    ChunkedByteBuffer release() {
        ChunkedByteBuffer released = new ChunkedByteBuffer(open());
        bytes = null;
        return released;
    }

    private ByteBuffer open() {
        return Objects.requireNonNull(bytes, "Cannot use memory that was freed or given away");
    }

    @Override
    public void close() {
        if (bytes != null) {
            release().dispose();
        }
    }
}
