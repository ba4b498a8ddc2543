package org.sparkqlora.weights.safetensors;

import java.nio.ByteBuffer;
import java.util.List;
import org.sparkqlora.quant.FloatSource;

/**
 * Numbers that are converted as they are read.
 *
 * @param buffers the parts of files that are mapped for them
 */
public record MappedFloats(FloatSource source, List<ByteBuffer> buffers) {
    public MappedFloats {
        buffers = List.copyOf(buffers);
    }

    /** Of all that is mapped. */
    public long bytes() {
        return buffers.stream().mapToLong(ByteBuffer::capacity).sum();
    }
}
