package org.sparkqlora.weights.family;

import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.function.Function;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.sparkqlora.quant.FloatSource;
import org.sparkqlora.weights.safetensors.TensorSpec;

/**
 * The matrices of single experts as the tensors of all of a layer that transformers loads, in families that have no names for the former. See
 * {@link FusedExperts}, which takes these apart.
 */
public record ExpertsTogether(ModelConfig config) {
    private static final Pattern APART = Pattern.compile(
            "(model\\.layers\\.(\\d{1,6})\\.mlp\\.experts)\\.\\d{1,6}\\.(gate_proj|up_proj|down_proj)\\.weight");
    private static final Pattern WHOLE =
            Pattern.compile("model\\.layers\\.(\\d{1,6})\\.mlp\\.experts\\.(gate_up_proj|down_proj)");

    /** The tensor that a weight is a part of; the weight itself where it is none of an expert, or experts are apart on the hub too. */
    public TensorSpec written(TensorSpec weight) {
        Matcher apart = APART.matcher(weight.name());
        if (!alternates() || !apart.matches()) {
            return weight;
        }

        boolean down = apart.group(3).equals("down_proj");
        Kind kind = of(down);
        int experts = config.mixture().experts();
        return TensorSpec.of(
                apart.group(1) + "." + kind.name(),
                weight.type(),
                experts,
                kind.shape().inputs(),
                (long) kind.matrices().size() * kind.shape().outputs());
    }

    /** The numbers of a tensor of all experts, which are read one after the other; nothing of another tensor. */
    public Optional<FloatSource> floats(String name, Function<String, FloatSource> ofWeight) {
        Matcher whole = WHOLE.matcher(name);
        if (!alternates() || !whole.matches()) {
            return Optional.empty();
        }

        int layer = Integer.parseInt(whole.group(1));
        Kind kind = of(whole.group(2).equals("down_proj"));
        return Optional.of(new Joined(
                kind, config.mixture().experts(), (expert, matrix) -> ofWeight.apply(matrix.weight(layer, expert))));
    }

    private boolean alternates() {
        return config.traits()
                .mixture()
                .filter(mixture -> mixture.modules().alternates())
                .isPresent();
    }

    private Kind of(boolean down) {
        return down
                ? new Kind("down_proj", List.of(ExpertMatrix.DOWN), ExpertMatrix.DOWN.shape(config))
                : new Kind(
                        "gate_up_proj", List.of(ExpertMatrix.GATE, ExpertMatrix.UP), ExpertMatrix.GATE.shape(config));
    }

    /**
     * One of the two tensors of a layer: (experts, inputs, outputs of all its matrices in turn).
     *
     * @param shape of each of its matrices
     */
    private record Kind(String name, List<ExpertMatrix> matrices, ProjectionShape shape) {
        /** Numbers of an expert. */
        int elements() {
            return Math.toIntExact(matrices.size() * shape.elements());
        }
    }

    private interface Parts {
        FloatSource of(int expert, ExpertMatrix matrix);
    }

    /** Holds one expert at a time. */
    private static final class Joined implements FloatSource {
        private final Kind kind;
        private final int experts;
        private final Parts parts;
        private final float[] held;
        private int expert = -1;

        Joined(Kind kind, int experts, Parts parts) {
            this.kind = kind;
            this.experts = experts;
            this.parts = parts;
            this.held = new float[kind.elements()];
        }

        @Override
        public long length() {
            return (long) experts * held.length;
        }

        @Override
        public synchronized void read(long from, float[] target, int count) {
            Objects.checkFromIndexSize(from, count, length());
            for (int done = 0; done < count; ) {
                hold((int) ((from + done) / held.length));
                int at = (int) ((from + done) % held.length);
                int length = Math.min(count - done, held.length - at);
                System.arraycopy(held, at, target, done, length);
                done += length;
            }
        }

        private void hold(int wanted) {
            if (wanted == expert) {
                return;
            }

            expert = -1; // nothing is held if a matrix cannot be read
            for (int i = 0; i < kind.matrices().size(); i++) {
                put(parts.of(wanted, kind.matrices().get(i)), i);
            }

            expert = wanted;
        }

        private void put(FloatSource matrix, int index) {
            int inputs = kind.shape().inputs();
            int step = kind.matrices().size();
            int outputs = step * kind.shape().outputs();
            float[] row = new float[inputs];
            for (int output = 0; output < kind.shape().outputs(); output++) {
                matrix.read((long) output * inputs, row, inputs);
                for (int input = 0; input < inputs; input++) {
                    held[input * outputs + output * step + index] = row[input];
                }
            }
        }
    }
}
