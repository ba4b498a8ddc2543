package org.sparkqlora.run.mlflow;

import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import org.sparkqlora.checkpoint.hub.HubId;
import org.sparkqlora.input.BadInputException;
import org.sparkqlora.model.layout.Method;
import org.sparkqlora.options.ModelOptions;
import org.sparkqlora.options.TrainOptions;
import org.sparkqlora.run.model.AdapterStart;
import org.sparkqlora.spark.cluster.Location;
import org.sparkqlora.spark.mlflow.MlflowAddress;
import org.sparkqlora.spark.mlflow.MlflowFile;
import org.sparkqlora.spark.mlflow.MlflowModel;
import org.sparkqlora.spark.mlflow.MlflowModel.Weights;
import org.sparkqlora.spark.mlflow.RegisteredName;
import org.sparkqlora.tokenizer.ModelTokenizer;
import org.sparkqlora.weights.CompanionFiles;
import org.sparkqlora.weights.gguf.GgufFolder;

/**
 * A result as a model of MLflow, which is registered. Driver only.
 *
 * @param catalog Unity Catalog, where the registry is there
 * @param base folder of the base
 * @param template instead of the base's own
 */
public record ModelRegistration(
        RegisteredName name, Optional<MlflowAddress> catalog, MlflowModel model, Path base, Optional<Path> template) {
    private static final String TEMPLATE = "chat_template.jinja";

    /** As {@code options} ask for it; throws if MLflow could not open what the run will publish. */
    public static Optional<ModelRegistration> of(TrainOptions options, AdapterStart start, String storedType) {
        return options.run.mlflow.registered().map(name -> of(name, options, start, storedType));
    }

    private static ModelRegistration of(
            RegisteredName name, TrainOptions options, AdapterStart start, String storedType) {
        if (options.data.objective.scoresTexts()) {
            throw refused("a run that teaches to write", "--objective " + options.data.objective.optionName());
        }

        Path base = options.model.folder();
        Path template = options.data.chatTemplate;
        try (ModelTokenizer tokenizer =
                ModelTokenizer.open(base, template, start.vocabulary().added())) {
            boolean isChat = tokenizer.chatTemplate().isPresent();
            HubId hub = options.model.method == Method.FULL
                    ? null
                    : HubId.ofAddress(options.model.address()).orElse(null);
            if (hub != null && (template != null || !start.vocabulary().added().isEmpty())) {
                throw refused(
                        "the tokenizer and chat template of the hub's base, which MLflow opens with it",
                        "--chat-template or --new-tokens. Download the base to a folder first");
            }

            MlflowModel model = hub != null
                    ? new MlflowModel(Weights.ADAPTER_OF_HUB, hub.name(), hub.revision(), isChat, storedType)
                    : ofFolder(options.model, isChat, storedType);
            return new ModelRegistration(
                    name, options.run.mlflow.catalog(), model, base, Optional.ofNullable(template));
        }
    }

    private static MlflowModel ofFolder(ModelOptions options, boolean isChat, String storedType) {
        String address = options.address();
        if (options.method == Method.FULL) {
            return new MlflowModel(Weights.WHOLE, address, null, isChat, storedType);
        }

        Location place = Location.parse(address);
        if (!place.isLocal() || GgufFolder.isGguf(place.local())) {
            throw refused(
                    "a base on a hub or in a folder of this host, which MLflow opens with the adapter",
                    address + ". Or merge the adapter into the base, and log the merged model");
        }

        return new MlflowModel(Weights.ADAPTER_OF_FOLDER, address, null, isChat, storedType);
    }

    private static BadInputException refused(String expected, String found) {
        return new BadInputException("--register-model: expected %s, found %s".formatted(expected, found));
    }

    /** The files of the model in MLflow, whose weights are in {@code published}. */
    public List<MlflowFile> files(Location published) {
        List<MlflowFile> files =
                new ArrayList<>(model.descriptions(UUID.randomUUID().toString().replace("-", ""), timeNow()));
        files.addAll(MlflowArtifacts.ofFolder(published, model.weightFolder()));
        if (model.weights() != Weights.ADAPTER_OF_HUB) {
            List<MlflowFile> own = files.stream()
                    .filter(file -> CompanionFiles.isOne(file.path().replaceFirst(".*/", "")))
                    .toList();
            own.forEach(file -> files.add(new MlflowFile(
                    MlflowModel.tokenizerFolder() + "/" + file.path().replaceFirst(".*/", ""),
                    file.length(),
                    file.content())));
            if (own.isEmpty()) {
                CompanionFiles.of(base)
                        .forEach(file ->
                                files.add(tokenizer(file, file.getFileName().toString())));
            }

            template.ifPresent(file -> files.add(tokenizer(file, TEMPLATE)));
        }

        return files;
    }

    private static String timeNow() {
        return Instant.now().toString().replace('T', ' ').replace("Z", "");
    }

    private static MlflowFile tokenizer(Path file, String name) {
        return MlflowArtifacts.ofFile(Location.of(file), MlflowModel.tokenizerFolder() + "/" + name);
    }
}
