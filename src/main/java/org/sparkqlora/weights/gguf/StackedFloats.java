package org.sparkqlora.weights.gguf;

import java.util.List;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.sparkqlora.quant.FloatSource;

/** Tensors of one size, one below the other, each opened when its turn comes and let go after it. */
final class StackedFloats implements FloatSource {
    private final List<Supplier<FloatSource>> parts;
    private final long each;
    private int opened = -1;
    private @Nullable FloatSource current;

    /** @param each numbers of a part */
    StackedFloats(List<Supplier<FloatSource>> parts, long each) {
        this.parts = List.copyOf(parts);
        this.each = each;
    }

    @Override
    public long length() {
        return each * parts.size();
    }

    @Override
    public synchronized void read(long from, float[] target, int count) {
        int done = 0;
        while (done < count) {
            long within = (from + done) % each;
            int taken = (int) Math.min(count - done, each - within);
            float[] piece = new float[taken];
            part((int) ((from + done) / each)).read(within, piece, taken);
            System.arraycopy(piece, 0, target, done, taken);
            done += taken;
        }
    }

    private FloatSource part(int index) {
        FloatSource part = current;
        if (part == null || opened != index) {
            part = parts.get(index).get();
            current = part;
            opened = index;
        }

        return part;
    }
}
