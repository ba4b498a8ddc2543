package org.sparkqlora.model.deltanet;

import java.util.ArrayList;
import java.util.List;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.global.torch;
import org.sparkqlora.weights.family.DeltaNetShape;

/**
 * Heads that are computed together. None depends on another, so that a pass needs the memory of one group.
 *
 * @param whole sizes of all heads
 * @param first of its heads of keys
 * @param count of its heads of keys
 */
record HeadGroup(DeltaNetShape whole, int first, int count) {
    /** A range of the group: {@code length} from {@code from} on. */
    private record Range(long from, long length) {}

    /** All heads, in groups of at most {@code valueHeads} heads of values, or one of keys. */
    static List<HeadGroup> of(DeltaNetShape shape, int valueHeads) {
        int size = Math.max(1, valueHeads * shape.keyHeads() / shape.valueHeads());
        List<HeadGroup> groups = new ArrayList<>();
        for (int first = 0; first < shape.keyHeads(); first += size) {
            groups.add(new HeadGroup(shape, first, Math.min(size, shape.keyHeads() - first)));
        }

        return groups;
    }

    /** Sizes of the group. */
    DeltaNetShape shape() {
        return new DeltaNetShape(count, count * each(), whole.keySize(), whole.valueSize(), whole.kernel());
    }

    /** What the group takes of all inputs. */
    DeltaInputs part(DeltaInputs in) {
        List<Tensor> parts = new ArrayList<>();
        List<Tensor> all = in.all();
        for (int input = 0; input < all.size(); input++) {
            TensorVector pieces = new TensorVector();
            for (Range range : ranges(input)) {
                pieces.push_back(all.get(input).narrow(dimension(input), range.from(), range.length()));
            }

            parts.add(torch.cat(pieces, dimension(input)));
        }

        return DeltaInputs.of(parts);
    }

    /** The group's part of an output, (rows, value width). */
    Tensor ofOutput(Tensor output) {
        Range values = values();
        return output.narrow(1, values.from(), values.length());
    }

    /** Adds gradients of the group's inputs to those of all inputs. */
    void add(List<Tensor> gradients, List<Tensor> sums) {
        for (int input = 0; input < gradients.size(); input++) {
            int dimension = dimension(input);
            long at = 0;
            for (Range range : ranges(input)) {
                sums.get(input)
                        .narrow(dimension, range.from(), range.length())
                        .add_(gradients.get(input).narrow(dimension, at, range.length()));
                at += range.length();
            }
        }
    }

    /** Inputs come in the order of {@link DeltaInputs#all}: those of rows first. */
    private static int dimension(int input) {
        return input < DeltaInputs.PROJECTED ? 1 : 0;
    }

    private List<Range> ranges(int input) {
        return switch (input) {
            case 0, 4 -> channels(); // queries, keys and values; the convolution of each
            case 1 -> List.of(values()); // the gate
            case 2, 3, 5, 6 -> // beta, decay, its bias and its logarithm: a number a head
                List.of(new Range((long) first * each(), (long) count * each()));
            case 7 -> List.of(new Range(0, whole.valueSize())); // the norm, which all heads share
            default -> throw new IllegalStateException("Cannot find input %d".formatted(input));
        };
    }

    private List<Range> channels() {
        Range keys = new Range((long) first * whole.keySize(), (long) count * whole.keySize());
        Range values = values();
        return List.of(
                keys,
                new Range(whole.keyWidth() + keys.from(), keys.length()),
                new Range(2L * whole.keyWidth() + values.from(), values.length()));
    }

    private Range values() {
        long width = (long) each() * whole.valueSize();
        return new Range(first * width, count * width);
    }

    /** Heads of values that a head of keys serves. */
    private int each() {
        return whole.valueHeads() / whole.keyHeads();
    }
}
