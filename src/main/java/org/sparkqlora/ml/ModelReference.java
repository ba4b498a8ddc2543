package org.sparkqlora.ml;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.apache.spark.SparkContext;
import org.apache.spark.ml.util.DefaultParamsReader;
import org.apache.spark.ml.util.DefaultParamsWriter;
import scala.Option;

/**
 * A {@link QLoraModel} by its params and the address of its adapter, in a folder of this machine: what a server of Spark Connect keeps of one
 * that nobody uses. No weight is copied.
 */
final class ModelReference {
    private static final String METADATA = "metadata.json";
    private static final String TOLD = "model.json";

    private ModelReference() {}

    /** Stores one in a new folder. */
    static void write(QLoraModel model, Path folder, SparkContext context) {
        try {
            Files.createDirectories(folder);
            Files.writeString(
                    folder.resolve(METADATA),
                    DefaultParamsWriter.getMetadataToSave(model, context, Option.empty(), Option.empty()));
            Files.writeString(folder.resolve(TOLD), model.toString());
        } catch (IOException e) {
            throw new UncheckedIOException("Failed to write " + folder, e);
        }
    }

    /** Reads one, which still tells of its fit. */
    static QLoraModel read(Path folder) {
        try {
            String told = Files.readString(folder.resolve(TOLD));
            DefaultParamsReader.Metadata metadata = DefaultParamsReader.parseMetadata(
                    Files.readString(folder.resolve(METADATA)), QLoraModel.class.getName());
            QLoraModel model = QLoraModel.told(metadata.uid(), ModelJson.adapter(told), told);
            metadata.getAndSetParams(model, Option.empty());
            return model;
        } catch (IOException e) {
            throw new UncheckedIOException("Failed to read " + folder, e);
        }
    }
}
