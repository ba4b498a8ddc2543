package org.sparkqlora.model.adapter;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.sparkqlora.input.BadInputException;
import org.sparkqlora.model.adapter.AdapterMerge.LowRankFactors;
import org.sparkqlora.model.layout.ExpertPlaces;
import org.sparkqlora.model.layout.LinearPlace;
import org.sparkqlora.model.layout.LoraSpec;
import org.sparkqlora.model.layout.Method;
import org.sparkqlora.model.layout.ModelLayout;
import org.sparkqlora.model.layout.ModelSpec;
import org.sparkqlora.model.layout.Parameter;
import org.sparkqlora.model.layout.ParameterIndex;
import org.sparkqlora.model.layout.Precision;
import org.sparkqlora.model.layout.SavedModule;
import org.sparkqlora.model.layout.SavedModules;
import org.sparkqlora.quant.FloatSource;
import org.sparkqlora.quant.QuantSpec;
import org.sparkqlora.quant.Workers;
import org.sparkqlora.tensor.FlatVector;
import org.sparkqlora.weights.family.DecoderTensors;
import org.sparkqlora.weights.family.ExpertMatrix;
import org.sparkqlora.weights.family.ModelConfig;

/**
 * The weights that a model has once its adapters are folded in: {@code W + scale * B A}, with DoRA each row brought to the
 * length that its magnitude says. Computed in float64 and rounded once, piece by piece as they are read. Weights that an
 * adapter holds whole take the place of the base's.
 */
public final class AdapterMerge {
    private final Map<String, LinearPlace.Adapter> places;
    private final Map<String, ExpertPart> experts = new HashMap<>();
    private final Map<String, Parameter> wholes = new HashMap<>();
    private final ParameterIndex index;
    private final ModelConfig merged;

    /** The adapters of shape {@code lora} on a model of {@code config}. */
    public AdapterMerge(ModelConfig config, LoraSpec lora) {
        ModelLayout layout =
                new ModelLayout(config, new ModelSpec(Method.LORA, Precision.FP32, QuantSpec.DEFAULT, lora));
        this.index = layout.index();
        this.places = layout.adapters();
        boolean apart = !lora.saved().isEmpty() && !lora.saved().trainsAsOne(config);
        this.merged = apart ? layout.config().untied() : layout.config();
        for (int layer = 0; layer < config.layers(); layer++) {
            if (config.isMixture(layer)) {
                addExperts(layer, layout.experts(layer));
            }
        }

        addWhole(SavedModule.EMBEDDING, layout.embedding());
        addWhole(SavedModule.HEAD, layout.head());
        if (layout.score() != null) {
            wholes.put(SavedModules.SCORE_WEIGHT, layout.score());
        }
    }

    /** The index of the adapter's tensors in the flat vector. */
    public ParameterIndex parameters() {
        return index;
    }

    /**
     * The config of the merged model: it has the adapter's tokens, and a head of its own where the adapter trained one apart from the
     * embedding.
     */
    public ModelConfig config() {
        return merged;
    }

    /** Whether the adapter changes the weight or takes its place. */
    public boolean has(String weight) {
        return places.containsKey(weight) || experts.containsKey(weight) || wholes.containsKey(weight);
    }

    /** Whether it changes the matrices of experts, of which {@link #terms} tells nothing. */
    public boolean changesExperts() {
        return !experts.isEmpty();
    }

    /** The tensor that takes the place of the weight, or null when it is the base's with or without an adapter. */
    public @Nullable Parameter whole(String weight) {
        return wholes.get(weight);
    }

    /**
     * The weight with its adapter, read in any pieces.
     *
     * @param base the weight without it
     * @param workers share the rows of a piece
     */
    public FloatSource merged(String weight, FloatSource base, FlatVector parameters, Workers workers) {
        ExpertPart part = experts.get(weight);
        if (part != null) {
            return new MergedRows(base, part.factors(parameters), workers);
        }

        LinearPlace.Adapter place = places.get(weight);
        if (place == null) {
            throw new BadInputException("Cannot merge weight %s: it carries no adapter".formatted(weight));
        }

        return new MergedRows(base, factors(place, parameters), workers);
    }

    /**
     * The low-rank term of one weight.
     *
     * @param weight that it is added to
     * @param down A, (rank, inputs)
     * @param up B, (outputs, rank)
     * @param scale factor on {@code B A}
     */
    public record Term(String weight, Parameter down, Parameter up, double scale) {}

    /** The terms of all weights that carry an adapter; with DoRA they are not all that it does. */
    public List<Term> terms() {
        return places.entrySet().stream()
                .map(place -> new Term(
                        place.getKey(),
                        place.getValue().down(),
                        place.getValue().up(),
                        place.getValue().scale()))
                .toList();
    }

    private void addExperts(int layer, ExpertPlaces ofLayer) {
        if (ofLayer.router().adapter() != null) {
            places.put(
                    DecoderTensors.routerWeight(merged, layer), ofLayer.router().adapter());
        }

        for (int expert = 0; expert < merged.mixture().experts(); expert++) {
            for (ExpertMatrix matrix : ExpertMatrix.values()) {
                LinearPlace.Adapter place = matrix == ExpertMatrix.DOWN ? ofLayer.down() : ofLayer.gateUp();
                if (place != null) {
                    experts.put(matrix.weight(layer, expert), new ExpertPart(place, merged, matrix, expert));
                }
            }
        }
    }

    /** The part of an adapter of all experts that one matrix of one expert has. */
    private record ExpertPart(LinearPlace.Adapter place, ModelConfig config, ExpertMatrix matrix, int expert) {
        private LowRankFactors factors(FlatVector parameters) {
            int experts = config.mixture().experts();
            int inputs = (int) place.down().shape()[1];
            int rank = (int) place.down().shape()[0] / experts;
            int outputs = matrix.shape(config).outputs();
            boolean alternates =
                    matrix != ExpertMatrix.DOWN && config.mixture().modules().alternates();
            int stored = alternates ? 2 * outputs : outputs;
            int firstOutput = matrix == ExpertMatrix.UP && !alternates ? outputs : 0;
            float[] down = new float[rank * inputs];
            parameters.read(place.down().offset() + (long) expert * rank * inputs, down, 0, down.length);
            float[] allUps = new float[stored * rank * experts];
            parameters.read(place.up().offset() + (long) firstOutput * rank * experts, allUps, 0, allUps.length);
            float[] up = new float[outputs * rank];
            int own = matrix == ExpertMatrix.UP ? 1 : 0;
            for (int i = 0; i < up.length; i++) {
                int row = alternates ? 2 * (i / rank) + own : i / rank;
                up[i] = allUps[(row * rank + i % rank) * experts + expert];
            }

            return new LowRankFactors(down, up, null, rank, inputs, place.scale());
        }
    }

    private void addWhole(SavedModule module, @Nullable Parameter parameter) {
        if (parameter != null) {
            wholes.put(module.weight(), parameter);
        }
    }

    static LowRankFactors factors(LinearPlace.Adapter place, FlatVector parameters) {
        Parameter magnitude = place.magnitude();
        return new LowRankFactors(
                values(place.down(), parameters),
                values(place.up(), parameters),
                magnitude == null ? null : values(magnitude, parameters),
                (int) place.down().shape()[0],
                (int) place.down().shape()[1],
                place.scale());
    }

    static float[] values(Parameter parameter, FlatVector parameters) {
        float[] values = new float[Math.toIntExact(parameter.size())];
        parameters.read(parameter.offset(), values, 0, values.length);
        return values;
    }

    /**
     * One adapter in plain arrays.
     *
     * @param down A, (rank, inputs)
     * @param up B, (outputs, rank)
     * @param magnitudes DoRA's row lengths, (outputs), or null
     */
    record LowRankFactors(float[] down, float[] up, float @Nullable [] magnitudes, int rank, int inputs, double scale) {
        /** Adds {@code scale * B A} of one row to {@code values}, which holds the base's. */
        void addTo(double[] values, int row) {
            for (int r = 0; r < rank; r++) {
                double factor = scale * up[row * rank + r];
                int at = r * inputs;
                for (int i = 0; i < inputs; i++) {
                    values[i] += factor * down[at + i];
                }
            }
        }

        /** Brings one row to the length that its magnitude says. */
        void resize(double[] values, int row) {
            if (magnitudes == null) {
                return;
            }

            double squares = 0;
            for (int i = 0; i < inputs; i++) {
                squares += values[i] * values[i];
            }

            double factor = squares == 0 ? 0 : magnitudes[row] / Math.sqrt(squares);
            for (int i = 0; i < inputs; i++) {
                values[i] *= factor;
            }
        }
    }

    /** A base weight with its adapter, computed by whole rows; the last rows stay, so that pieces that cut a row cost nothing twice. */
    private static final class MergedRows implements FloatSource {
        /** Rows computed ahead hold about this many weights. */
        private static final int AHEAD = 1 << 20;

        private final FloatSource base;
        private final LowRankFactors factors;
        private final Workers workers;
        private final float[] ready;
        private long readyFrom;
        private long readyTo;

        MergedRows(FloatSource base, LowRankFactors factors, Workers workers) {
            this.base = base;
            this.factors = factors;
            this.workers = workers;
            int rows = Math.max(1, AHEAD / factors.inputs());
            this.ready = new float[Math.toIntExact(Math.min(base.length(), (long) rows * factors.inputs()))];
        }

        @Override
        public long length() {
            return base.length();
        }

        @Override
        public synchronized void read(long from, float[] target, int count) {
            for (int done = 0; done < count; ) {
                long at = from + done;
                if (at < readyFrom || at >= readyTo) {
                    computeFrom(at - at % factors.inputs());
                }

                int length = (int) Math.min(count - done, readyTo - at);
                System.arraycopy(ready, (int) (at - readyFrom), target, done, length);
                done += length;
            }
        }

        private void computeFrom(long start) {
            int inputs = factors.inputs();
            int rows = (int) (Math.min(ready.length, length() - start) / inputs);
            int firstRow = Math.toIntExact(start / inputs);
            readyTo = readyFrom; // nothing is ready if a row cannot be read
            workers.forRanges(rows, 1, (from, to) -> {
                Row row = new Row(inputs);
                for (int r = (int) from; r < to; r++) {
                    row.compute(firstRow + r, r * inputs);
                }
            });
            readyFrom = start;
            readyTo = start + (long) rows * inputs;
        }

        /** Buffers of one thread. */
        private final class Row {
            private final float[] stored;
            private final double[] values;

            private Row(int inputs) {
                this.stored = new float[inputs];
                this.values = new double[inputs];
            }

            private void compute(int row, int target) {
                base.read((long) row * stored.length, stored, stored.length);
                for (int i = 0; i < stored.length; i++) {
                    values[i] = stored[i];
                }

                factors.addTo(values, row);
                factors.resize(values, row);
                for (int i = 0; i < stored.length; i++) {
                    ready[target + i] = (float) values[i];
                }
            }
        }
    }
}
