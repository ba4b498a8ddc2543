package org.sparkqlora.ml;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;
import java.util.stream.Stream;
import org.apache.spark.ml.param.Param;
import org.apache.spark.ml.param.Params;
import org.apache.spark.ml.util.DefaultParamsReader;
import org.apache.spark.ml.util.DefaultParamsWriter;
import org.apache.spark.ml.util.MLReader;
import org.apache.spark.ml.util.MLWriter;
import org.jspecify.annotations.Nullable;
import org.sparkqlora.checkpoint.AdapterFolder;
import org.sparkqlora.data.Labels;
import org.sparkqlora.input.BadInputException;
import org.sparkqlora.options.Overlap;
import org.sparkqlora.spark.cluster.Location;
import org.sparkqlora.storage.FolderCopy;
import scala.Option;

/**
 * A stored model: {@code metadata/} with its params, as MLlib has it, and {@code adapter/} in PEFT layout, or {@code model/}
 * where all weights trained. The base is not in it; param model says where it is.
 */
final class ModelFolder {
    private static final String ADAPTER = "adapter";
    private static final String MODEL = "model";

    private ModelFolder() {}

    /** Stores one. */
    static final class Writer extends MLWriter {
        private final Params model;
        private final String part;
        private final Location source;

        Writer(AdapterModel model) {
            Optional<String> adapter = model.fitted().folder();
            this.model = model.stage();
            this.part = adapter.isPresent() ? ADAPTER : MODEL;
            this.source = Location.parse(adapter.orElseGet(() -> base().orElse("")));
        }

        @Override
        public void save(String path) throws IOException {
            StagePath stage = StagePath.of(path, sc());
            if (shouldOverwrite()) {
                stage.requireStageOrNone(); // Spark deletes all that is there
            } else {
                stage.requireAbsent();
            }

            Overlap overlap = new Overlap(stage.folder(), List.of());
            for (Location read : reads()) {
                if (overlap.isWith(read)) {
                    throw new BadInputException("Cannot save to %s: the model reads %s there. Save it elsewhere"
                            .formatted(stage.folder(), read));
                }
            }

            super.save(path);
        }

        @Override
        public void saveImpl(String path) {
            DefaultParamsWriter.saveMetadata(model, path, sc(), Option.empty(), Option.empty());
            Location target = StagePath.of(path, sc()).folder().resolve(part);
            FolderCopy.write(source.files(), source.path(), target.files(), target.path());
        }

        /** Stores what {@code loadFromLocal} reads, for the cache of a Spark Connect server from 4.1 on. */
        public void saveToLocal(String path) {
            ModelReference.write(model, Path.of(path), sc());
        }

        /** The adapters and the base; param model may be unset in a stage that no fit has made. */
        private List<Location> reads() {
            return Stream.of(Stream.of(source), base().map(Location::parse).stream(), AdapterColumn.folders(model))
                    .flatMap(Function.identity())
                    .toList();
        }

        private Optional<String> base() {
            Param<?> base = model.getParam(MODEL);
            return model.isSet(base) ? Optional.of(String.valueOf(model.getOrDefault(base))) : Optional.empty();
        }
    }

    /** The labels of the adapter in a folder, whose head scores texts. */
    static Labels labels(@Nullable String adapter) {
        if (adapter == null) {
            throw new BadInputException("Cannot load a classifier: expected an adapter in its folder, found none");
        }

        Location folder = Location.parse(adapter);
        return AdapterFolder.readLabels(folder.files(), folder.path())
                .orElseThrow(() -> new BadInputException(
                        "Cannot use the adapter %s: expected config.json with the labels of its head, found none"
                                .formatted(adapter)));
    }

    /** Reads one. */
    static final class Reader<M extends Params & AdapterModel> extends MLReader<M> {
        private final Class<M> type;
        private final Made<M> made;

        Reader(Class<M> type, Made<M> made) {
            this.type = type;
            this.made = made;
        }

        @Override
        public M load(String path) {
            StagePath stage = StagePath.of(path, sc());
            DefaultParamsReader.Metadata metadata = stage.metadata(type, sc());
            Location folder = stage.folder();
            Location adapter = folder.resolve(ADAPTER);
            boolean adapted = StagePath.exists(adapter);
            M model = made.of(metadata.uid(), adapted ? adapter.toString() : null);
            metadata.getAndSetParams(model, Option.empty());
            if (!adapted) {
                model.set(MODEL, folder.resolve(MODEL).toString());
            }

            return model;
        }

        /** Reads what {@link Writer#saveToLocal} stored. It returns what Spark's erased method does, without which it would not be called. */
        public Object loadFromLocal(String path) {
            return ModelReference.read(Path.of(path), type, reference -> {
                M model = made.of(reference.uid(), reference.adapter());
                model.fitted().setDescription(reference.description());
                return model;
            });
        }
    }

    /** Makes a model of a uid and the folder of its adapter; null where it is whole without one. */
    interface Made<M> {
        M of(String uid, @Nullable String adapter);
    }
}
