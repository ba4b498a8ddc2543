package org.sparkqlora.ml;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.function.Function;
import org.apache.spark.SparkContext;
import org.apache.spark.ml.param.Params;
import org.apache.spark.ml.util.DefaultParamsReader;
import org.apache.spark.ml.util.DefaultParamsWriter;
import org.jspecify.annotations.Nullable;
import scala.Option;

/**
 * A model that a server of Spark Connect puts aside while nobody uses it, in a folder of this machine: its params and the address of its adapter.
 * No weight is copied.
 *
 * @param uid of the model
 * @param adapter its folder; null where the model is whole without one
 * @param description of the model in JSON
 */
record ModelReference(String uid, @Nullable String adapter, String description) {
    private static final String METADATA = "metadata.json";
    private static final String DESCRIPTION = "model.json";

    /** Stores one in a new folder. */
    static void write(Params model, Path folder, SparkContext context) {
        try {
            Files.createDirectories(folder);
            Files.writeString(
                    folder.resolve(METADATA),
                    DefaultParamsWriter.getMetadataToSave(model, context, Option.empty(), Option.empty()));
            Files.writeString(folder.resolve(DESCRIPTION), model.toString());
        } catch (IOException e) {
            throw new UncheckedIOException("Failed to write " + folder, e);
        }
    }

    /** Reads one, without its params {@code made} of what is here. */
    static <M extends Params> M read(Path folder, Class<M> type, Function<ModelReference, M> made) {
        try {
            String description = Files.readString(folder.resolve(DESCRIPTION));
            DefaultParamsReader.Metadata metadata =
                    DefaultParamsReader.parseMetadata(Files.readString(folder.resolve(METADATA)), type.getName());
            M model = made.apply(new ModelReference(metadata.uid(), ModelJson.adapter(description), description));
            metadata.getAndSetParams(model, Option.empty());
            return model;
        } catch (IOException e) {
            throw new UncheckedIOException("Failed to read " + folder, e);
        }
    }
}
