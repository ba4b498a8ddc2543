package org.sparkqlora.weights.safetensors;

import java.nio.ByteBuffer;
import java.util.List;
import org.sparkqlora.quant.FloatSource;

/**
 * Numbers that are converted as they are read.
 *
 * @param buffers the parts of files that are mapped for them; those of other numbers may lie between
 * @param bytes that they take there, with their scales
 */
public record MappedFloats(FloatSource source, List<ByteBuffer> buffers, long bytes) {
    public MappedFloats {
        buffers = List.copyOf(buffers);
    }
}
