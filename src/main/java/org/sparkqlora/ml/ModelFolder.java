package org.sparkqlora.ml;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import java.util.function.BiFunction;
import org.apache.spark.ml.param.Param;
import org.apache.spark.ml.param.Params;
import org.apache.spark.ml.util.DefaultParamsReader;
import org.apache.spark.ml.util.DefaultParamsWriter;
import org.apache.spark.ml.util.MLReader;
import org.apache.spark.ml.util.MLWriter;
import org.sparkqlora.checkpoint.AdapterFolder;
import org.sparkqlora.data.Labels;
import org.sparkqlora.input.BadInputException;
import org.sparkqlora.options.Overlap;
import org.sparkqlora.spark.cluster.Location;
import org.sparkqlora.storage.FolderCopy;
import scala.Option;

/**
 * A stored {@link QLoraModel}: {@code metadata/} with its params, as MLlib has it, and {@code adapter/} in PEFT layout, or {@code model/}
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

        private Writer(Params model, String part, String source) {
            this.model = model;
            this.part = part;
            this.source = Location.parse(source);
        }

        Writer(QLoraModel model) {
            this(
                    model,
                    model.adapter().isPresent() ? ADAPTER : MODEL,
                    model.adapter().orElseGet(model::base));
        }

        Writer(AdapterModel model) {
            this(model.stage(), ADAPTER, model.adapterFolder());
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

        /** The adapter and the base; param model may be unset in a stage that no fit has made. */
        private List<Location> reads() {
            Param<?> base = model.getParam(MODEL);
            return model.isSet(base)
                    ? List.of(source, Location.parse(String.valueOf(model.getOrDefault(base))))
                    : List.of(source);
        }
    }

    /** The labels of the adapter in a folder, whose head scores texts. */
    static Labels labels(String adapter) {
        Location folder = Location.parse(adapter);
        return AdapterFolder.readLabels(folder.files(), folder.path())
                .orElseThrow(() -> new BadInputException(
                        "Cannot use the adapter %s: expected config.json with the labels of its head, found none"
                                .formatted(adapter)));
    }

    /** Reads a model that is an adapter. */
    static final class Reader<M extends Params & AdapterModel> extends MLReader<M> {
        private final Class<M> type;
        private final BiFunction<String, String, M> made;

        /** @param made a model of a uid and the folder of an adapter */
        Reader(Class<M> type, BiFunction<String, String, M> made) {
            this.type = type;
            this.made = made;
        }

        @Override
        public M load(String path) {
            StagePath stage = StagePath.of(path, sc());
            DefaultParamsReader.Metadata metadata = stage.metadata(type, sc());
            M model = made.apply(metadata.uid(), stage.folder().resolve(ADAPTER).toString());
            metadata.getAndSetParams(model, Option.empty());
            return model;
        }

        /** Reads what {@link Writer#saveToLocal} stored. It returns what Spark's erased method does, without which it would not be called. */
        public Object loadFromLocal(String path) {
            return ModelReference.read(Path.of(path), type, reference -> {
                M model = made.apply(reference.uid(), Objects.requireNonNull(reference.adapter()));
                model.tell(reference.told());
                return model;
            });
        }
    }

    /** Reads one that may be whole. */
    static final class WholeReader extends MLReader<QLoraModel> {
        @Override
        public QLoraModel load(String path) {
            StagePath stage = StagePath.of(path, sc());
            DefaultParamsReader.Metadata metadata = stage.metadata(QLoraModel.class, sc());
            Location folder = stage.folder();
            Location adapter = folder.resolve(ADAPTER);
            boolean adapted = StagePath.exists(adapter);
            QLoraModel model = new QLoraModel(metadata.uid(), adapted ? adapter.toString() : null);
            metadata.getAndSetParams(model, Option.empty());
            return adapted ? model : model.option(MODEL, folder.resolve(MODEL).toString());
        }

        /** Reads what {@link Writer#saveToLocal} stored. It returns what Spark's erased method does, without which it would not be called. */
        public Object loadFromLocal(String path) {
            return ModelReference.read(Path.of(path), QLoraModel.class, QLoraModel::of);
        }
    }
}
