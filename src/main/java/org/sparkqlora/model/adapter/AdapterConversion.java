package org.sparkqlora.model.adapter;

import org.sparkqlora.model.layout.LoraSpec;
import org.sparkqlora.model.layout.Method;
import org.sparkqlora.model.layout.ModelLayout;
import org.sparkqlora.model.layout.ModelSpec;
import org.sparkqlora.model.layout.Parameter;
import org.sparkqlora.model.layout.ParameterIndex;
import org.sparkqlora.model.layout.Precision;
import org.sparkqlora.quant.QuantSpec;
import org.sparkqlora.tensor.FlatVector;
import org.sparkqlora.weights.family.ModelConfig;

/**
 * Turns adapters of what is left of a base into adapters of the base as it was: with {@code rest = W - scale * B0 A0},
 * {@code rest + scale * B A = W + scale * [B, -B0] [A; A0]}, of twice the rank and the same scale (PEFT's
 * {@code path_initial_model_for_weight_conversion}). DoRA's magnitudes stay, as the direction that they scale is the same.
 */
public final class AdapterConversion {
    private final PissaOloraFactors taken;
    private final LoraSpec lora;
    private final ParameterIndex index;

    /**
     * @param lora shape of the adapters that were trained
     * @param taken what was taken out of the base
     */
    public AdapterConversion(ModelConfig config, LoraSpec lora, PissaOloraFactors taken) {
        this.taken = taken;
        this.lora = lora.ofTwiceTheRank();
        this.index =
                ParameterIndex.of(config, new ModelSpec(Method.LORA, Precision.FP32, QuantSpec.DEFAULT, this.lora));
    }

    /** Shape of the adapters that it makes. */
    public LoraSpec lora() {
        return lora;
    }

    /** The index of their tensors in the flat vector. */
    public ParameterIndex index() {
        return index;
    }

    /** The adapters of the base as it was. */
    public FlatVector convert(ParameterIndex trainedIndex, FlatVector trained) {
        FlatVector converted = FlatVector.zeros(index.size());
        for (Parameter parameter : index.all()) {
            float[] now = AdapterMerge.values(trainedIndex.find(parameter.name()), trained);
            if (parameter.name().endsWith(ModelLayout.DOWN_SUFFIX)) {
                converted.write(parameter.offset(), now, 0, now.length);
                converted.write(parameter.offset() + now.length, taken.factor(parameter.name()), 0, now.length);
            } else if (parameter.name().endsWith(ModelLayout.UP_SUFFIX)) {
                writeRows(parameter, now, taken.factor(parameter.name()), converted);
            } else {
                converted.write(parameter.offset(), now, 0, now.length);
            }
        }

        return converted;
    }

    private static void writeRows(Parameter parameter, float[] now, float[] before, FlatVector converted) {
        int rank = (int) parameter.shape()[1] / 2;
        for (int i = 0; i < before.length; i++) {
            before[i] = -before[i];
        }

        for (int row = 0; row < parameter.shape()[0]; row++) {
            long to = parameter.offset() + 2L * row * rank;
            converted.write(to, now, row * rank, rank);
            converted.write(to + rank, before, row * rank, rank);
        }
    }
}
