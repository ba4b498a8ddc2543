package org.sparkqlora.optim;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

/**
 * Cuts the flat vector into pages. In 8 bits a page belongs to one tensor, so that no block straddles two; tensors of fewer
 * than 4096 elements keep float32, as in bitsandbytes. In float32 neighbouring tensors of
 * one group share pages.
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

    static List<StatePage> float32(List<StateRange> states, List<OptimizedTensor> tensors, int pageElements) {
        return new StateLayout(states, pageElements).pagesOf(tensors, Long.MAX_VALUE);
    }

    static List<StatePage> eightBit(List<StateRange> states, List<OptimizedTensor> tensors, int pageElements) {
        return new StateLayout(states, pageElements).pagesOf(tensors, SMALLEST_EIGHT_BIT);
    }

    private List<StatePage> pagesOf(List<OptimizedTensor> tensors, long smallestEightBit) {
        ParameterGroup group = ParameterGroup.PLAIN;
        long runFrom = 0;
        long from = 0;
        for (OptimizedTensor tensor : tensors) {
            boolean alone = tensor.size() >= smallestEightBit;
            if (alone || !tensor.group().equals(group)) {
                add(runFrom, from, float32(), group);
                runFrom = from;
            }

            if (alone) {
                add(from, from + tensor.size(), eightBit(), tensor.group());
                runFrom = from + tensor.size();
            }

            group = tensor.group();
            from += tensor.size();
        }

        add(runFrom, from, float32(), group);
        return List.copyOf(pages);
    }

    private List<StateFormat> float32() {
        return Collections.nCopies(states.size(), StateFormat.Float32Format.INSTANCE);
    }

    private List<StateFormat> eightBit() {
        return states.stream().map(StateFormat::eightBit).toList();
    }

    private void add(long from, long to, List<StateFormat> formats, ParameterGroup group) {
        for (long at = from; at < to; at += pageElements) {
            pages.add(new StatePage(at, (int) Math.min(pageElements, to - at), formats, group));
        }
    }
}
