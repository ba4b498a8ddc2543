package org.sparkqlora.cli;

import java.util.function.LongFunction;
import org.jspecify.annotations.Nullable;
import org.sparkqlora.checkpoint.AdapterConfig;
import org.sparkqlora.checkpoint.AdapterFolder;
import org.sparkqlora.model.LoraSpec;
import org.sparkqlora.model.Method;
import org.sparkqlora.model.ParameterIndex;
import org.sparkqlora.tensor.FlatVector;
import org.sparkqlora.train.GradientModel;
import org.sparkqlora.weights.ModelConfig;

/**
 * Where the adapters of a model start: anew, or from an adapter folder.
 *
 * @param lora shape of the adapters; null when there are none
 * @param folder the adapter to start from; null to start anew
 */
record AdapterStart(@Nullable LoraSpec lora, @Nullable Location folder) {
    /** As the options of {@code train} say. */
    static AdapterStart of(Method method, AdapterOptions options) {
        if (options.initial != null) {
            return from(options.initial);
        }

        return new AdapterStart(method == Method.FULL ? null : options.spec(), null);
    }

    /** From an adapter in PEFT layout. */
    static AdapterStart from(Location folder) {
        return new AdapterStart(config(folder).lora(), folder);
    }

    /** What an adapter folder says of itself. */
    static AdapterConfig config(Location folder) {
        return AdapterFolder.readConfig(folder.files(), folder.path());
    }

    /** A base without adapters. */
    static AdapterStart none() {
        return new AdapterStart(null, null);
    }

    /** Makes sure that adapters that start anew have modules in the model; those of a folder are compared when they are read. */
    void check(ModelConfig config) {
        if (lora != null && folder == null) {
            TargetCheck.check(lora, config);
        }
    }

    /** The first values of what trains, in memory. */
    FlatVector parameters(GradientModel model, long seed) {
        return parameters(model, seed, FlatVector::zeros);
    }

    /** The same in a vector that {@code zeros} makes, unless they come from an adapter, which is small. */
    FlatVector parameters(GradientModel model, long seed, LongFunction<FlatVector> zeros) {
        ParameterIndex index = model.parameters();
        return folder == null
                ? model.initialParameters(seed, zeros)
                : AdapterFolder.read(folder.files(), folder.path(), index);
    }

    /** Path of the adapter, for the plan. */
    @Nullable
    String name() {
        return folder == null ? null : folder.toString();
    }
}
