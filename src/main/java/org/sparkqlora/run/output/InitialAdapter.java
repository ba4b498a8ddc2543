package org.sparkqlora.run.output;

import java.nio.file.Path;
import java.util.Optional;
import org.sparkqlora.checkpoint.AdapterConfig;
import org.sparkqlora.checkpoint.AdapterFolder;
import org.sparkqlora.model.adapter.PissaOloraFactors;
import org.sparkqlora.model.layout.LoraSpec;
import org.sparkqlora.model.layout.ParameterIndex;
import org.sparkqlora.options.Console;
import org.sparkqlora.options.Required;
import org.sparkqlora.quant.Workers;
import org.sparkqlora.spark.cluster.Location;
import org.sparkqlora.tensor.FlatVector;
import org.sparkqlora.train.TrainPlan;
import org.sparkqlora.weights.WeightFolder;
import org.sparkqlora.weights.family.ModelConfig;

/**
 * The adapters that a run takes out of its base before its first step, in PEFT layout. They are kept beside its checkpoints, as a
 * run that goes on, and every executor, must have the same. Driver only.
 */
public final class InitialAdapter {
    private static final double NANOS = 1e9;

    private final Location folder;
    private final TrainPlan plan;
    private final LoraSpec lora;

    private InitialAdapter(Location folder, TrainPlan plan, LoraSpec lora) {
        this.folder = folder;
        this.plan = plan;
        this.lora = lora;
    }

    /** Of a run with its output in {@code output}; nothing if its adapters do not begin so. */
    public static Optional<InitialAdapter> of(Location output, TrainPlan plan) {
        return Optional.ofNullable(plan.spec().lora())
                .filter(LoraSpec::takesFromBase)
                .map(lora -> new InitialAdapter(output.resolve(RunFiles.INITIAL_ADAPTER), plan, lora));
    }

    /** Takes it out of the base in {@code model}, unless the run has begun before, and returns its SHA-256. */
    public String prepare(Path model, OutputFolder output, Console console) {
        if (plan.takenFactors() != null) {
            return plan.takenFactors();
        }

        boolean isNew = output.noteFolder(RunFiles.INITIAL_ADAPTER);
        long begin = System.nanoTime();
        try (WeightFolder base = WeightFolder.open(model);
                Workers workers = new Workers(Runtime.getRuntime().availableProcessors())) {
            FlatVector values =
                    PissaOloraFactors.compute(base, lora, plan.seed(), workers).values();
            console.note(
                    "took adapters of %d numbers out of the base (%s) in %.1f s",
                    values.length(), lora.initialization().optionName(), (System.nanoTime() - begin) / NANOS);
            AdapterFolder.write(
                    folder.files(),
                    folder.path(),
                    new AdapterConfig(lora.factorsAlone(), plan.model()),
                    PissaOloraFactors.index(base.config(), lora),
                    values);
        }

        if (isNew) {
            AdapterFolder.FILES.forEach(name -> output.noteFile(folder.resolve(name)));
        }

        return AdapterFolder.hash(folder.files(), folder.path());
    }

    /** Path of its folder. */
    public String path() {
        return folder.path().toString();
    }

    /** Reads it. */
    PissaOloraFactors read(ModelConfig config) {
        AdapterFolder.requireHash(folder.files(), folder.path(), Required.value("taken factors", plan.takenFactors()));
        ParameterIndex index = PissaOloraFactors.index(config, lora);
        return PissaOloraFactors.of(config, lora, AdapterFolder.read(folder.files(), folder.path(), index));
    }
}
