package org.sparkqlora.optim;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * Cuts the flat vector into runs, and these into pages. In 8 bits a run is one tensor, so that no block straddles two; tensors of fewer
 * than 4096 elements keep float32, as in bitsandbytes. In float32 neighbouring tensors of one group are a run.
 */
final class StateLayout {
    /** {@code min_8bit_size} of bitsandbytes. */
    private static final long SMALLEST_EIGHT_BIT = 4096;

    private final List<StateRange> states;
    private final List<Run> runs = new ArrayList<>();

    private StateLayout(List<StateRange> states) {
        this.states = states;
    }

    static List<Run> float32(List<StateRange> states, List<OptimizedTensor> tensors) {
        return new StateLayout(states).runsOf(tensors, Long.MAX_VALUE);
    }

    static List<Run> eightBit(List<StateRange> states, List<OptimizedTensor> tensors) {
        return new StateLayout(states).runsOf(tensors, SMALLEST_EIGHT_BIT);
    }

    private List<Run> runsOf(List<OptimizedTensor> tensors, long smallestEightBit) {
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
        return List.copyOf(runs);
    }

    private List<StateFormat> float32() {
        return Collections.nCopies(states.size(), StateFormat.Float32Format.INSTANCE);
    }

    private List<StateFormat> eightBit() {
        return states.stream().map(StateFormat::eightBit).toList();
    }

    private void add(long from, long to, List<StateFormat> formats, ParameterGroup group) {
        if (to > from) {
            runs.add(new Run(from, to, formats, group));
        }
    }

    /**
     * Neighbours that are treated alike.
     *
     * @param from first element in the flat vector
     * @param to the element after the last one
     */
    record Run(long from, long to, List<StateFormat> formats, ParameterGroup group) {
        /** What of it lies from {@code start} to before {@code end}, counted from {@code start} on; those are bounds of blocks. */
        Optional<Run> within(long start, long end) {
            long first = Math.max(from, start);
            long last = Math.min(to, end);
            return first < last ? Optional.of(new Run(first - start, last - start, formats, group)) : Optional.empty();
        }

        /** Pages of at most {@code elements} each; all are as long as they can be but for the last. */
        Stream<StatePage> pages(int elements) {
            return IntStream.range(0, count(elements)).mapToObj(page -> page(page, elements));
        }

        int count(int elements) {
            return Math.toIntExact((to - from + elements - 1) / elements);
        }

        /** The longest of them. */
        StatePage first(int elements) {
            return page(0, elements);
        }

        private StatePage page(int page, int elements) {
            long at = from + (long) page * elements;
            return new StatePage(at, (int) Math.min(elements, to - at), formats, group);
        }
    }
}
