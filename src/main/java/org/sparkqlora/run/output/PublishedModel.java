package org.sparkqlora.run.output;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import org.sparkqlora.checkpoint.AdapterConfig;
import org.sparkqlora.checkpoint.AdapterFolder;
import org.sparkqlora.checkpoint.FullModelFolder;
import org.sparkqlora.checkpoint.ScoreConfigJson;
import org.sparkqlora.checkpoint.hub.HubId;
import org.sparkqlora.data.Labels;
import org.sparkqlora.model.adapter.AdapterConversion;
import org.sparkqlora.model.layout.LoraSpec;
import org.sparkqlora.model.layout.ParameterIndex;
import org.sparkqlora.objective.Classification;
import org.sparkqlora.objective.ScoreObjective;
import org.sparkqlora.run.model.Vocabulary;
import org.sparkqlora.spark.cluster.Location;
import org.sparkqlora.storage.BlobWriter;
import org.sparkqlora.storage.FreshFolder;
import org.sparkqlora.tensor.FlatVector;
import org.sparkqlora.train.TrainPlan;
import org.sparkqlora.weights.WeightFolder;
import org.sparkqlora.weights.family.ModelConfigJson;

/** The result of a run: an adapter in PEFT layout, or a whole model if all weights trained. */
public final class PublishedModel {
    private final Location output;
    private final Location folder;
    private final TrainPlan plan;
    private final ParameterIndex index;
    private final Path base;
    private final Vocabulary vocabulary;

    /**
     * A result under {@code output}.
     *
     * @param base folder of the model that trained
     * @param vocabulary the tokens that it has then
     */
    public PublishedModel(Location output, TrainPlan plan, ParameterIndex index, Path base, Vocabulary vocabulary) {
        this.output = output;
        this.folder = output.resolve(plan.spec().lora() == null ? RunFiles.MODEL : RunFiles.ADAPTER);
        this.plan = plan;
        this.index = index;
        this.base = base;
        this.vocabulary = vocabulary;
    }

    public Location folder() {
        return folder;
    }

    /** The number of trained values. */
    public long parameters() {
        return index.size();
    }

    /** Writes the trained values. The run owns its output: what was begun there is of processes that were given up. */
    public void publish(FlatVector parameters) {
        sweep();
        LoraSpec lora = plan.spec().lora();
        if (lora == null) {
            publishModel(parameters);
            return;
        }

        InitialAdapter.of(output, plan)
                .ifPresentOrElse(
                        initial -> publishConverted(initial, lora, parameters), () -> write(lora, index, parameters));
    }

    private void sweep() {
        try {
            FreshFolder.sweep(folder.files(), folder.path());
        } catch (IOException e) {
            throw new UncheckedIOException("Failed to remove what an earlier process had begun beside " + folder, e);
        }
    }

    /** Who reads the adapter has the base as it was, not what is left of it. */
    private void publishConverted(InitialAdapter initial, LoraSpec lora, FlatVector parameters) {
        try (WeightFolder source = WeightFolder.open(base)) {
            AdapterConversion conversion = new AdapterConversion(source.config(), lora, initial.read(source.config()));
            write(conversion.lora(), conversion.index(), conversion.convert(index, parameters));
        }
    }

    private void write(LoraSpec lora, ParameterIndex places, FlatVector values) {
        AdapterFolder.write(
                folder.files(),
                folder.path(),
                new AdapterConfig(lora, HubId.publicName(plan.model())),
                places,
                values,
                files());
    }

    /** What goes beside the adapter: a tokenizer that is not the base's, and the names of labels. */
    private Map<String, BlobWriter> files() {
        Map<String, BlobWriter> files = vocabulary.files(base);
        if (plan.objective() instanceof ScoreObjective) {
            Optional<Labels> labels = plan.objective() instanceof Classification classes
                    ? Optional.of(classes.labels())
                    : Optional.empty();
            String config = ScoreConfigJson.write(configOfBase(), labels);
            files.put(ModelConfigJson.FILE_NAME, out -> out.write(config.getBytes(StandardCharsets.UTF_8)));
        }

        return files;
    }

    private String configOfBase() {
        try {
            return Files.readString(base.resolve(ModelConfigJson.FILE_NAME));
        } catch (IOException e) {
            throw new UncheckedIOException("Failed to read the config of " + base, e);
        }
    }

    private void publishModel(FlatVector parameters) {
        try (WeightFolder source = WeightFolder.open(base)) {
            FullModelFolder.write(folder.files(), folder.path(), source, index, parameters);
        }
    }
}
