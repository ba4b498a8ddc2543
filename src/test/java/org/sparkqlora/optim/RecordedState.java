package org.sparkqlora.optim;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;
import org.jspecify.annotations.NullMarked;
import org.sparkqlora.quant.GoldenFile;

/** State of a whole tensor in the order of the golden files: a state after the other rather than block after block. */
@NullMarked
final class RecordedState {
    private static final int BLOCK = 256;

    private RecordedState() {}

    /** The page of an 8-bit AdamW that holds tensor {@code name} after step {@code step}. */
    static byte[] eightBitPage(GoldenFile file, String name, int step) {
        String prefix = name + ".adamw8.";
        byte[] meanCodes = file.bytes(prefix + "m_codes." + step);
        byte[] squareCodes = file.bytes(prefix + "v_codes." + step);
        float[] meanAbsmax = file.floats(prefix + "m_absmax." + step);
        float[] squareAbsmax = file.floats(prefix + "v_absmax." + step);
        ByteBuffer page = ByteBuffer.allocate(2 * (meanCodes.length + Float.BYTES * meanAbsmax.length))
                .order(ByteOrder.LITTLE_ENDIAN);
        for (int block = 0; block < meanAbsmax.length; block++) {
            int count = Math.min(BLOCK, meanCodes.length - block * BLOCK);
            page.put(meanCodes, block * BLOCK, count).putFloat(meanAbsmax[block]);
            page.put(squareCodes, block * BLOCK, count).putFloat(squareAbsmax[block]);
        }

        return page.array();
    }

    /** Codes and absmax of one state, cut out of an 8-bit page of {@code elements} elements and two states. */
    static Codes codes(byte[] page, int elements, int state) {
        ByteBuffer buffer = ByteBuffer.wrap(page).order(ByteOrder.LITTLE_ENDIAN);
        byte[] codes = new byte[elements];
        float[] absmax = new float[(elements + BLOCK - 1) / BLOCK];
        for (int block = 0; block < absmax.length; block++) {
            int count = Math.min(BLOCK, elements - block * BLOCK);
            int from = 2 * block * (BLOCK + Float.BYTES) + state * (count + Float.BYTES);
            buffer.position(from).get(codes, block * BLOCK, count);
            absmax[block] = buffer.getFloat();
        }

        return new Codes(codes, absmax);
    }

    /** Values of one state, decoded from a page of the optimiser. */
    static float[] values(StatePage layout, byte[] page, int state) {
        float[][] states = new float[layout.formats().size()][layout.count()];
        layout.decode(ByteBuffer.wrap(page).order(ByteOrder.LITTLE_ENDIAN), states);
        return states[state];
    }

    static byte[] read(PageStore store, int page) {
        byte[] bytes = new byte[store.byteSize(page)];
        store.read(page, bytes);
        return bytes;
    }

    /** The single page of a small float32 AdamW. */
    static StatePage float32Page(int elements) {
        return new StatePage(
                0,
                elements,
                List.of(StateFormat.Float32Format.INSTANCE, StateFormat.Float32Format.INSTANCE),
                ParameterGroup.PLAIN);
    }

    record Codes(byte[] codes, float[] absmax) {
        Codes {
            codes = codes.clone();
            absmax = absmax.clone();
        }

        int differing(Codes other) {
            int differing = 0;
            for (int i = 0; i < codes.length; i++) {
                differing += codes[i] == other.codes[i] ? 0 : 1;
            }

            return differing;
        }
    }
}
