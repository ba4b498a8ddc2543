package org.sparkqlora.ml;

import java.io.IOException;
import java.util.List;
import java.util.stream.Stream;
import org.apache.spark.ml.util.DefaultParamsReader;
import org.apache.spark.ml.util.DefaultParamsWriter;
import org.apache.spark.ml.util.MLReader;
import org.apache.spark.ml.util.MLWriter;
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
        private final QLoraModel model;

        Writer(QLoraModel model) {
            this.model = model;
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
            String name = model.adapter().isPresent() ? ADAPTER : MODEL;
            Location source = source();
            Location target = StagePath.of(path, sc()).folder().resolve(name);
            FolderCopy.write(source.files(), source.path(), target.files(), target.path());
        }

        /** The adapter and the base; param model may be unset in a stage that no fit has made. */
        private List<Location> reads() {
            Stream<String> base = model.get(model.getParam(MODEL)).isDefined() ? Stream.of(model.base()) : Stream.of();
            return Stream.concat(model.adapter().stream(), base)
                    .map(Location::parse)
                    .toList();
        }

        private Location source() {
            return Location.parse(model.adapter().orElseGet(model::base));
        }
    }

    /** Reads one. */
    static final class Reader extends MLReader<QLoraModel> {
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
    }
}
