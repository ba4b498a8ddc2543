package org.sparkqlora.run.model;

import java.nio.file.Path;
import java.util.function.LongFunction;
import org.jspecify.annotations.Nullable;
import org.sparkqlora.checkpoint.AdapterConfig;
import org.sparkqlora.checkpoint.AdapterFolder;
import org.sparkqlora.input.BadInputException;
import org.sparkqlora.model.layout.LoraSpec;
import org.sparkqlora.model.layout.Method;
import org.sparkqlora.model.layout.ParameterIndex;
import org.sparkqlora.model.layout.SavedModules;
import org.sparkqlora.objective.Objective;
import org.sparkqlora.objective.ScoreObjective;
import org.sparkqlora.options.AdapterOptions;
import org.sparkqlora.spark.cluster.Location;
import org.sparkqlora.tensor.FlatVector;
import org.sparkqlora.train.GradientModel;
import org.sparkqlora.weights.family.ModelConfig;

/**
 * The adapters that training starts from: fresh ones, or those of an adapter folder.
 *
 * @param lora shape of the adapters; null when there are none
 * @param folder the adapter to start from; null to start anew
 * @param vocabulary the tokens that the model has with them
 */
public record AdapterStart(
        @Nullable LoraSpec lora, @Nullable Location folder, Vocabulary vocabulary) {
    /** As the options of {@code train} say, on a base in folder {@code model}. Throws what does not fit the base. */
    public static AdapterStart of(Method method, AdapterOptions options, Path model, ModelConfig config) {
        if (options.initial != null) {
            return from(options.initial, model, config);
        }

        if (method == Method.FULL) {
            return none();
        }

        Vocabulary vocabulary = new Vocabulary(options.tokens.all());
        LoraSpec lora = options.spec().on(config);
        TargetCheck.check(lora, config);
        LoraSpec sized = lora.withSaved(lora.saved().withRows(vocabulary.rows(model, config, options.rows)));
        return new AdapterStart(sized, null, vocabulary);
    }

    /** From the adapter in folder {@code adapter}, or without one. */
    public static AdapterStart of(@Nullable Location adapter, Path model, ModelConfig config) {
        return adapter == null ? none() : from(adapter, model, config);
    }

    /** From an adapter in PEFT layout of a base in folder {@code model}. */
    public static AdapterStart from(Location folder, Path model, ModelConfig config) {
        LoraSpec lora = config(folder).lora();
        SavedModules saved = lora.saved();
        boolean same = saved.rows() == config.vocabularySize();
        return new AdapterStart(
                same ? lora.withSaved(saved.withRows(0)) : lora, folder, Vocabulary.beside(folder, model));
    }

    /**
     * These adapters for {@code objective}: beside new ones comes the head that scores texts, where it needs one.
     *
     * @throws BadInputException if adapters from a folder have another head, or none
     */
    public AdapterStart scoring(Objective objective) {
        int outputs = objective instanceof ScoreObjective scores ? scores.outputs() : 0;
        int found = lora == null ? 0 : lora.saved().labels();
        if (folder == null && lora != null) {
            return new AdapterStart(lora.withSaved(lora.saved().withLabels(outputs)), null, vocabulary);
        }

        if (found != outputs) {
            throw new BadInputException("Cannot use %s for %s: expected an adapter with %s, found %s"
                    .formatted(
                            folder == null ? "a base without an adapter" : folder,
                            objective.kind().optionName(),
                            head(outputs),
                            head(found)));
        }

        return this;
    }

    /**
     * These adapters, once they are known to leave the head that predicts tokens.
     *
     * @throws BadInputException if they have one that scores texts
     */
    public AdapterStart writingTexts() {
        if (lora != null && lora.saved().scores()) {
            throw new BadInputException(
                    "Cannot write texts with %s: its head scores them. evaluate takes it with --objective classify or reward"
                            .formatted(folder));
        }

        return this;
    }

    private static String head(int outputs) {
        return outputs == 0 ? "no head that scores texts" : "a head of " + outputs + " outputs";
    }

    /** The configuration of an adapter folder. */
    public static AdapterConfig config(Location folder) {
        return AdapterFolder.readConfig(folder.files(), folder.path());
    }

    /** A base without adapters. */
    private static AdapterStart none() {
        return new AdapterStart(null, null, Vocabulary.UNCHANGED);
    }

    /** The base with as many tokens as the adapters' embedding and head have. */
    public ModelConfig sized(ModelConfig base) {
        return lora == null ? base : lora.saved().sized(base);
    }

    /** The first values of what trains, in memory. */
    public FlatVector parameters(GradientModel model, long seed) {
        return parameters(model, seed, FlatVector::zeros);
    }

    /** The first values in a vector that {@code zeros} makes, or in memory if they come from an adapter, which is small. */
    FlatVector parameters(GradientModel model, long seed, LongFunction<FlatVector> zeros) {
        ParameterIndex index = model.parameters();
        return folder == null
                ? model.initialParameters(seed, zeros)
                : AdapterFolder.read(folder.files(), folder.path(), index);
    }

    /** Whether every process makes the same first values by itself: libtorch's lengths of a weight's rows depend on the processor. */
    public boolean isSameEverywhere() {
        return folder == null && (lora == null || !lora.weightDecomposed());
    }

    /** Path of the adapter, for the plan. */
    @Nullable
    public String name() {
        return folder == null ? null : folder.toString();
    }
}
