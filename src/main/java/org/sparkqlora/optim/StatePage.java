package org.sparkqlora.optim;

import java.nio.ByteBuffer;
import java.util.List;

/**
 * A run of parameters whose state is loaded and stored as one. Its bytes are block after block, each block state after
 * state, so that pages of any size put together give the same bytes.
 *
 * @param from first element in the flat vector
 * @param count number of elements
 * @param formats the format of every state
 * @param group how a step treats the run
 */
record StatePage(long from, int count, List<StateFormat> formats, ParameterGroup group) {
    StatePage {
        formats = List.copyOf(formats);
    }

    /** Elements of the longest of {@code pages}. */
    static int longest(List<StatePage> pages) {
        return pages.stream().mapToInt(StatePage::count).max().orElse(0);
    }

    /** Bytes of the largest of {@code pages}. */
    static int largest(List<StatePage> pages) {
        return pages.stream().mapToInt(StatePage::byteSize).max().orElse(0);
    }

    int byteSize() {
        int whole = count / StateFormat.BLOCK;
        int rest = count % StateFormat.BLOCK;
        int bytes = 0;
        for (StateFormat format : formats) { // a model has a million pages
            bytes += whole * format.byteSize(StateFormat.BLOCK) + (rest == 0 ? 0 : format.byteSize(rest));
        }

        return bytes;
    }

    void decode(ByteBuffer page, float[][] states) {
        for (int at = 0; at < count; at += StateFormat.BLOCK) {
            for (int state = 0; state < states.length; state++) {
                formats.get(state).decode(page, states[state], at, blockLength(at));
            }
        }
    }

    void encode(float[][] states, ByteBuffer page) {
        for (int at = 0; at < count; at += StateFormat.BLOCK) {
            for (int state = 0; state < states.length; state++) {
                formats.get(state).encode(states[state], at, blockLength(at), page);
            }
        }
    }

    private int blockLength(int at) {
        return Math.min(StateFormat.BLOCK, count - at);
    }
}
