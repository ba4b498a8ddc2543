package org.sparkqlora.optim;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.LongStream;

/**
 * Cuts the flat vector into pages. In 8 bits a page belongs to one tensor, so that no block straddles two; tensors of fewer
 * than 4096 elements keep float32, as in bitsandbytes. In float32 neighbouring tensors share pages.
 */
final class StateLayout {
    /** {@code min_8bit_size} of bitsandbytes. */
    private static final long SMALLEST_EIGHT_BIT = 4096;

    private final List<StateRange> states;
    private final int pageElements;
    private final List<StatePage> pages = new ArrayList<>();

    private StateLayout(List<StateRange> states, int pageElements) {
        this.states = states;
        this.pageElements = pageElements;
    }

    static List<StatePage> float32(List<StateRange> states, long[] tensorSizes, int pageElements) {
        StateLayout layout = new StateLayout(states, pageElements);
        layout.addFloat32(0, LongStream.of(tensorSizes).sum());
        return List.copyOf(layout.pages);
    }

    static List<StatePage> eightBit(List<StateRange> states, long[] tensorSizes, int pageElements) {
        StateLayout layout = new StateLayout(states, pageElements);
        long smallFrom = 0;
        long from = 0;
        for (long size : tensorSizes) {
            if (size >= SMALLEST_EIGHT_BIT) {
                layout.addFloat32(smallFrom, from);
                layout.addEightBit(from, from + size);
                smallFrom = from + size;
            }

            from += size;
        }

        layout.addFloat32(smallFrom, from);
        return List.copyOf(layout.pages);
    }

    private void addFloat32(long from, long to) {
        StateFormat[] formats = new StateFormat[states.size()];
        Arrays.fill(formats, Float32Format.INSTANCE);
        add(from, to, List.of(formats));
    }

    private void addEightBit(long from, long to) {
        add(from, to, states.stream().map(StateFormat::eightBit).toList());
    }

    private void add(long from, long to, List<StateFormat> formats) {
        for (long at = from; at < to; at += pageElements) {
            pages.add(new StatePage(at, (int) Math.min(pageElements, to - at), formats));
        }
    }
}
