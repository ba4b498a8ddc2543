package org.sparkqlora.model.adapter;

import java.util.SplittableRandom;
import java.util.function.Function;
import java.util.function.LongFunction;
import org.bytedeco.pytorch.Tensor;
import org.jspecify.annotations.Nullable;
import org.sparkqlora.model.layout.FactorInitialization;
import org.sparkqlora.model.layout.FactorInitialization.Drawn;
import org.sparkqlora.model.layout.LoraSpec;
import org.sparkqlora.model.layout.ModelLayout;
import org.sparkqlora.model.layout.Parameter;
import org.sparkqlora.model.layout.SavedModules;
import org.sparkqlora.quant.FloatSource;
import org.sparkqlora.tensor.FlatVector;
import org.sparkqlora.tensor.TensorMemory;
import org.sparkqlora.tensor.TensorScope;
import org.sparkqlora.weights.WeightFolder;
import org.sparkqlora.weights.family.DecoderTensors;

/** The flat vector that training starts from. */
public final class InitialParameters {
    private static final int WINDOW = 1 << 20;

    private final WeightFolder weights;
    private final ModelLayout layout;
    private final Function<String, Tensor> frozen;
    private final FactorInitialization factors;

    /**
     * @param frozen a matrix of the base in float32, by its name
     * @param lora the adapters among them; null for none
     */
    public InitialParameters(
            WeightFolder weights, ModelLayout layout, Function<String, Tensor> frozen, @Nullable LoraSpec lora) {
        this.weights = weights;
        this.layout = layout;
        this.frozen = frozen;
        this.factors = lora == null ? FactorInitialization.DEFAULT : lora.initialization();
    }

    /** Those of other adapters on the same base. */
    public InitialParameters with(ModelLayout other, LoraSpec lora) {
        return new InitialParameters(weights, other, frozen, lora);
    }

    /** Initial values in a vector that {@code zeros} makes. */
    public FlatVector values(long seed, LongFunction<FlatVector> zeros, @Nullable PissaOloraFactors taken) {
        if (factors instanceof FactorInitialization.Taken != (taken != null)) {
            throw new IllegalStateException(
                    "Cannot begin adapters that are a part of their base: expected what was taken out of it");
        }

        FlatVector values = zeros.apply(layout.index().size());
        fill(seed, values, taken);
        return values;
    }

    /** Factors that were taken out of the base are there before. */
    private void fill(long seed, FlatVector values, @Nullable PissaOloraFactors taken) {
        if (taken != null) {
            taken.copyTo(layout.index(), values);
        }

        SplittableRandom random = new SplittableRandom(seed);
        for (Parameter parameter : layout.index().all()) {
            SplittableRandom own = random.split();
            if (parameter.name().endsWith(ModelLayout.DOWN_SUFFIX)) {
                fillFactor(parameter, own, values);
            } else if (parameter.name().endsWith(ModelLayout.MAGNITUDE_SUFFIX)) {
                fillRowLengths(parameter, values, taken);
            } else if (parameter.name().equals(SavedModules.SCORE_KEY)) {
                fillScore(parameter, own, values);
            } else if (!parameter.name().endsWith(ModelLayout.UP_SUFFIX)) {
                copyWhole(weights.tensor(storedName(parameter)).asFloats(), parameter, values);
            }
        }
    }

    /** A head that trains apart from the embedding that it was begins as that. */
    private String storedName(Parameter parameter) {
        String name = ModelLayout.baseName(parameter);
        return name.equals(DecoderTensors.HEAD) && weights.config().tiedEmbeddings() ? DecoderTensors.EMBEDDING : name;
    }

    private void fillFactor(Parameter parameter, SplittableRandom random, FlatVector values) {
        if (!(factors instanceof Drawn drawn)) {
            return;
        }

        switch (drawn) {
            case DEFAULT -> fillUniform(parameter, random, values);
            case GAUSSIAN -> fillNormal(parameter, random, 1.0 / parameter.shape()[0], values);
        }
    }

    /** A head of a model that scores texts already is as stored; a new one is drawn as transformers does. */
    private void fillScore(Parameter parameter, SplittableRandom random, FlatVector values) {
        if (weights.has(SavedModules.SCORE_WEIGHT)) {
            copyWhole(weights.tensor(SavedModules.SCORE_WEIGHT).asFloats(), parameter, values);
        } else {
            fillNormal(parameter, random, weights.config().initializerRange(), values);
        }
    }

    private static void fillNormal(Parameter parameter, SplittableRandom random, double deviation, FlatVector values) {
        for (long i = 0; i < parameter.size(); i++) {
            values.set(parameter.offset() + i, (float) (random.nextGaussian() * deviation));
        }
    }

    /** kaiming_uniform with a = sqrt(5): uniform in +-1/sqrt(inputs). */
    private static void fillUniform(Parameter parameter, SplittableRandom random, FlatVector values) {
        double bound = 1 / Math.sqrt((double) parameter.shape()[1]);
        for (long i = 0; i < parameter.size(); i++) {
            values.set(parameter.offset() + i, (float) random.nextDouble(-bound, bound));
        }
    }

    private void fillRowLengths(Parameter parameter, FlatVector values, @Nullable PissaOloraFactors taken) {
        int rows = Math.toIntExact(parameter.size());
        float[] lengths = new float[rows];
        TensorScope.run(() -> {
            String name = ModelLayout.moduleOf(parameter) + ".weight";
            Tensor weight = frozen.apply(name);
            Tensor norms = taken == null ? weight.square().sum(1).sqrt() : taken.rowNorms(name, weight);
            TensorMemory.read(norms, lengths, rows);
        });
        values.write(parameter.offset(), lengths, 0, rows);
    }

    /**
     * A weight as it is stored. Tokens that it has no rows for start as the mean of all rows. transformers (mean_resizing) draws them
     * from a normal distribution around it with a billionth of the rows' covariance, so they are the mean but for noise of 3e-5 of
     * the rows' deviation; without it a run needs no seed to be repeated.
     */
    private static void copyWhole(FloatSource source, Parameter parameter, FlatVector values) {
        long stored = Math.min(source.length(), parameter.size());
        copy(source, stored, parameter, values);
        if (stored < parameter.size()) {
            fillWithMeanRow(parameter, stored, values);
        }
    }

    private static void fillWithMeanRow(Parameter parameter, long stored, FlatVector values) {
        int width = Math.toIntExact(parameter.shape()[1]);
        double[] sums = new double[width];
        float[] row = new float[width];
        for (long at = 0; at < stored; at += width) {
            values.read(parameter.offset() + at, row, 0, width);
            for (int i = 0; i < width; i++) {
                sums[i] += row[i];
            }
        }

        for (int i = 0; i < width; i++) {
            row[i] = (float) (sums[i] / (stored / width));
        }

        for (long at = stored; at < parameter.size(); at += width) {
            values.write(parameter.offset() + at, row, 0, width);
        }
    }

    private static void copy(FloatSource source, long length, Parameter parameter, FlatVector values) {
        float[] window = new float[(int) Math.min(WINDOW, length)];
        for (long at = 0; at < length; at += WINDOW) {
            int count = (int) Math.min(WINDOW, length - at);
            source.read(at, window, count);
            values.write(parameter.offset() + at, window, 0, count);
        }
    }
}
