package org.sparkqlora.cli;

import java.nio.file.Path;
import org.sparkqlora.checkpoint.AdapterConfig;
import org.sparkqlora.checkpoint.AdapterFolder;
import org.sparkqlora.checkpoint.FullModelFolder;
import org.sparkqlora.model.LoraSpec;
import org.sparkqlora.model.ParameterIndex;
import org.sparkqlora.tensor.FlatVector;
import org.sparkqlora.train.TrainPlan;
import org.sparkqlora.train.TrainState;
import org.sparkqlora.weights.WeightFolder;

/** What a run is for: an adapter in PEFT layout, or a whole model when all weights trained. */
final class Result {
    static final String ADAPTER = "adapter";
    static final String MODEL = "model";

    private final Location folder;
    private final TrainPlan plan;
    private final ParameterIndex index;
    private final Path base;

    /**
     * A result under {@code output}.
     *
     * @param base folder of the model that trained
     */
    Result(Location output, TrainPlan plan, ParameterIndex index, Path base) {
        this.folder = output.resolve(plan.spec().lora() == null ? MODEL : ADAPTER);
        this.plan = plan;
        this.index = index;
        this.base = base;
    }

    Location folder() {
        return folder;
    }

    /** How many numbers trained. */
    long parameters() {
        return index.size();
    }

    /** Writes the trained values. */
    void publish(TrainState state) {
        FlatVector parameters = state.parameters();
        LoraSpec lora = plan.spec().lora();
        if (lora == null) {
            publishModel(parameters);
            return;
        }

        AdapterFolder.write(folder.files(), folder.path(), new AdapterConfig(lora, plan.model()), index, parameters);
    }

    private void publishModel(FlatVector parameters) {
        try (WeightFolder source = WeightFolder.open(base)) {
            FullModelFolder.write(folder.files(), folder.path(), source, index, parameters);
        }
    }
}
