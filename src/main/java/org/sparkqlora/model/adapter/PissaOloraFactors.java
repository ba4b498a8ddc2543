package org.sparkqlora.model.adapter;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.sparkqlora.input.BadInputException;
import org.sparkqlora.model.adapter.AdapterMerge.LowRankFactors;
import org.sparkqlora.model.adapter.PissaOloraInit.Factors;
import org.sparkqlora.model.layout.FactorInitialization.Taken;
import org.sparkqlora.model.layout.LinearPlace;
import org.sparkqlora.model.layout.LoraSpec;
import org.sparkqlora.model.layout.Method;
import org.sparkqlora.model.layout.ModelLayout;
import org.sparkqlora.model.layout.ModelSpec;
import org.sparkqlora.model.layout.Parameter;
import org.sparkqlora.model.layout.ParameterIndex;
import org.sparkqlora.model.layout.Precision;
import org.sparkqlora.model.shared.FrozenTensors;
import org.sparkqlora.quant.FloatSource;
import org.sparkqlora.quant.QuantSpec;
import org.sparkqlora.quant.Workers;
import org.sparkqlora.tensor.FlatVector;
import org.sparkqlora.tensor.Natives;
import org.sparkqlora.tensor.TensorMemory;
import org.sparkqlora.tensor.TensorScope;
import org.sparkqlora.weights.ChangedWeights;
import org.sparkqlora.weights.WeightFolder;
import org.sparkqlora.weights.family.ModelConfig;

/**
 * The first factors of adapters that begin as a part of their base ({@link Taken}), A before B, module by module. They are
 * computed once a run and kept: LAPACK's last bits depend on the processor, and whoever takes them out of a weight must have the
 * same.
 */
public final class PissaOloraFactors {
    /** A decomposition holds about this many matrices of its weight's size. */
    private static final long COPIES = 6;

    /** The bound on the memory of all concurrent decompositions, in bytes. */
    private static final long WORKING_BYTES = 4L << 30;

    private final ParameterIndex index;
    private final Map<String, LinearPlace.Adapter> places;
    private final FlatVector values;

    private PissaOloraFactors(ModelConfig config, LoraSpec lora, FlatVector values) {
        this.index = index(config, lora);
        this.places = layout(config, lora).adapters();
        this.values = values;
    }

    /** The index of the factors in the flat vector of adapters of shape {@code lora}. */
    public static ParameterIndex index(ModelConfig config, LoraSpec lora) {
        return layout(config, lora).index();
    }

    /** Factors that were computed before, in the order of {@link #index}. */
    public static PissaOloraFactors of(ModelConfig config, LoraSpec lora, FlatVector values) {
        return new PissaOloraFactors(config, lora, values);
    }

    /** Throws an error if no such adapters can be taken out of {@code base}. */
    public static void requireTakable(WeightFolder base, LoraSpec lora) {
        if (base.quantized()) {
            throw new BadInputException(
                    "Cannot take adapters (%s) out of %s: expected weights in 16 or 32 bits, found 4-bit weights. Name the model that these were made from: with --method qlora what is left of it is brought to 4 bits"
                            .formatted(lora.initialization().optionName(), base.path()));
        }

        layout(base.config(), lora).adapters().forEach((weight, place) -> {
            long rank = place.down().shape()[0];
            long most = Math.min(place.down().shape()[1], place.up().shape()[0]);
            if (rank > most) {
                throw new BadInputException(
                        "Cannot take an adapter (%s) out of %s: expected a rank of at most %d, the rank of the weight, found %d"
                                .formatted(lora.initialization().optionName(), weight, most, rank));
            }
        });
    }

    /**
     * Takes factors out of every weight that gets an adapter.
     *
     * @param seed of randomised decompositions
     * @param workers decompose weights side by side
     */
    public static PissaOloraFactors compute(WeightFolder base, LoraSpec lora, long seed, Workers workers) {
        if (!(lora.initialization() instanceof Taken how)) {
            throw new BadInputException("Cannot take adapters out of a base: %s draws them"
                    .formatted(lora.initialization().optionName()));
        }

        requireTakable(base, lora);
        Map<String, LinearPlace.Adapter> places = layout(base.config(), lora).adapters();
        FlatVector values = FlatVector.zeros(index(base.config(), lora).size());
        SplittableRandom random = new SplittableRandom(seed);
        List<Runnable> tasks = new ArrayList<>();
        places.forEach((weight, place) -> {
            PissaOloraInit taking =
                    new PissaOloraInit(how, Math.toIntExact(place.down().shape()[0]), place.scale(), random.split());
            tasks.add(() -> take(base, weight, place, taking, values));
        });
        try (Workers some = new Workers(Math.min(workers.threads(), sideBySide(places)))) {
            some.forRanges(
                    tasks.size(),
                    1,
                    (from, to) -> tasks.subList((int) from, (int) to).forEach(Runnable::run));
        }

        return new PissaOloraFactors(base.config(), lora, values);
    }

    public FlatVector values() {
        return values;
    }

    /** The residual of {@code base}. */
    public ChangedWeights residual(WeightFolder base) {
        return new ChangedWeights() {
            @Override
            public boolean has(String name) {
                return places.containsKey(name);
            }

            @Override
            public FloatSource floats(String name) {
                return new ResidualRows(base.tensor(name).asFloats(), AdapterMerge.factors(place(name), values));
            }
        };
    }

    /** Writes the factors to {@code target}, whose index has them under the same names. */
    void copyTo(ParameterIndex targetIndex, FlatVector target) {
        for (Parameter factor : index.all()) {
            float[] numbers = AdapterMerge.values(factor, values);
            target.write(targetIndex.find(factor.name()).offset(), numbers, 0, numbers.length);
        }
    }

    /** The first values of a factor, by its name. */
    float[] factor(String name) {
        return AdapterMerge.values(index.find(name), values);
    }

    /** Length of each row of a weight that {@code rest} is what is left of. */
    Tensor rowNorms(String weight, Tensor rest) {
        LinearPlace.Adapter place = place(weight);
        Tensor down = TensorMemory.floats(
                AdapterMerge.values(place.down(), values), place.down().shape());
        Tensor up = TensorMemory.floats(
                AdapterMerge.values(place.up(), values), place.up().shape());
        return BoundAdapter.rowNorms(rest, down, up, place.scale());
    }

    private LinearPlace.Adapter place(String weight) {
        LinearPlace.Adapter place = places.get(weight);
        if (place == null) {
            throw new BadInputException("Cannot find factors of weight %s".formatted(weight));
        }

        return place;
    }

    private static int sideBySide(Map<String, LinearPlace.Adapter> places) {
        long largest = places.values().stream()
                .mapToLong(place -> place.down().shape()[1] * place.up().shape()[0] * Float.BYTES)
                .max()
                .orElse(1);
        return (int) Math.max(1, WORKING_BYTES / (COPIES * largest));
    }

    /** On one thread, for the same bits however many there are. */
    private static void take(
            WeightFolder base, String name, LinearPlace.Adapter place, PissaOloraInit taking, FlatVector values) {
        Natives.useThreads(1);
        TensorScope.run(() -> {
            Factors factors = taking.from(FrozenTensors.converted(base.tensor(name), ScalarType.Float));
            write(factors.down(), place.down(), values);
            write(factors.up(), place.up(), values);
        });
    }

    private static void write(Tensor factor, Parameter place, FlatVector values) {
        float[] numbers = new float[Math.toIntExact(place.size())];
        TensorMemory.read(factor, numbers, numbers.length);
        values.write(place.offset(), numbers, 0, numbers.length);
    }

    private static ModelLayout layout(ModelConfig config, LoraSpec lora) {
        return new ModelLayout(
                config, new ModelSpec(Method.LORA, Precision.FP32, QuantSpec.DEFAULT, lora.factorsAlone()));
    }

    /**
     * The residual {@code W - scale * B A} of a weight, computed as it is read, in the reader's thread: in
     * float64, rank by rank, rounded once, so that every host has the same bits. Safe for concurrent reads.
     */
    private record ResidualRows(FloatSource base, LowRankFactors factors) implements FloatSource {
        @Override
        public long length() {
            return base.length();
        }

        @Override
        public void read(long from, float[] target, int count) {
            base.read(from, target, count);
            double[] row = new double[Math.min(count, factors.inputs())];
            for (int done = 0; done < count; ) {
                int column = (int) ((from + done) % factors.inputs());
                int length = Math.min(count - done, factors.inputs() - column);
                take(target, done, length, row, Math.toIntExact((from + done) / factors.inputs()), column);
                done += length;
            }
        }

        private void take(float[] target, int at, int length, double[] values, int row, int column) {
            for (int i = 0; i < length; i++) {
                values[i] = target[at + i];
            }

            for (int r = 0; r < factors.rank(); r++) {
                double factor = factors.scale() * factors.up()[row * factors.rank() + r];
                int from = r * factors.inputs() + column;
                for (int i = 0; i < length; i++) {
                    values[i] -= factor * factors.down()[from + i];
                }
            }

            for (int i = 0; i < length; i++) {
                target[at + i] = (float) values[i];
            }
        }
    }
}
