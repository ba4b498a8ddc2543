package org.sparkqlora.ml;

import java.io.IOException;
import java.io.UncheckedIOException;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileUtil;
import org.apache.hadoop.fs.Path;
import org.apache.spark.ml.util.DefaultParamsReader;
import org.apache.spark.ml.util.DefaultParamsWriter;
import org.apache.spark.ml.util.MLReader;
import org.apache.spark.ml.util.MLWriter;
import org.sparkqlora.cli.Location;
import org.sparkqlora.input.BadInputException;
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
            Location target = location(path, sc().hadoopConfiguration());
            if (source().toString().startsWith(target + "/")) {
                throw new BadInputException(
                        "Cannot save to %s: the model reads %s there. Save it elsewhere".formatted(target, source()));
            }

            super.save(path);
        }

        @Override
        public void saveImpl(String path) {
            DefaultParamsWriter.saveMetadata(model, path, sc(), Option.empty(), Option.empty());
            String name = model.adapter().isPresent() ? ADAPTER : MODEL;
            Configuration configuration = sc().hadoopConfiguration();
            copy(source(), location(path, configuration).resolve(name), configuration);
        }

        private Location source() {
            return Location.parse(model.adapter().orElseGet(model::base));
        }
    }

    /** Reads one. */
    static final class Reader extends MLReader<QLoraModel> {
        @Override
        public QLoraModel load(String path) {
            DefaultParamsReader.Metadata metadata =
                    DefaultParamsReader.loadMetadata(path, sc(), QLoraModel.class.getName());
            Location folder = location(path, sc().hadoopConfiguration());
            Location adapter = folder.resolve(ADAPTER);
            boolean adapted = exists(adapter);
            QLoraModel model = new QLoraModel(metadata.uid(), adapted ? adapter.toString() : null);
            metadata.getAndSetParams(model, Option.empty());
            return adapted ? model : model.option(MODEL, folder.resolve(MODEL).toString());
        }
    }

    /** As MLlib finds it, which takes a plain path to be on the default file system. */
    private static Location location(String path, Configuration configuration) {
        try {
            Path named = new Path(path);
            return new Location(named.getFileSystem(configuration).makeQualified(named));
        } catch (IOException e) {
            throw new UncheckedIOException("Failed to open the file system of " + path, e);
        }
    }

    private static boolean exists(Location folder) {
        try {
            return folder.files().exists(folder.path());
        } catch (IOException e) {
            throw new UncheckedIOException("Failed to look for " + folder, e);
        }
    }

    private static void copy(Location source, Location target, Configuration configuration) {
        try {
            FileUtil.copy(source.files(), source.path(), target.files(), target.path(), false, configuration);
        } catch (IOException e) {
            throw new UncheckedIOException("Failed to copy %s to %s".formatted(source, target), e);
        }
    }
}
