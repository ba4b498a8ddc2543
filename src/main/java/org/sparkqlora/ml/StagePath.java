package org.sparkqlora.ml;

import java.io.IOException;
import java.io.UncheckedIOException;
import org.apache.hadoop.fs.Path;
import org.apache.spark.SparkContext;
import org.apache.spark.ml.util.DefaultParamsReader;
import org.sparkqlora.input.BadInputException;
import org.sparkqlora.spark.cluster.Location;
import org.sparkqlora.storage.StorePath;

/**
 * The folder of a stored stage, as MLlib finds it: a plain path is on the default file system.
 *
 * @param path as it was given
 * @param folder that it names
 */
record StagePath(String path, Location folder) {
    private static final String METADATA = "metadata";

    static StagePath of(String path, SparkContext context) {
        try {
            Path named = new Path(path);
            return new StagePath(
                    path,
                    new Location(StorePath.files(named, context.hadoopConfiguration())
                            .makeQualified(named)));
        } catch (IOException e) {
            throw new UncheckedIOException("Failed to open the file system of " + path, e);
        }
    }

    /** Throws if something is there already. */
    void requireAbsent() {
        if (exists(folder)) {
            throw new BadInputException(
                    "Cannot save to %s: expected a path that does not exist yet, found one. write().overwrite().save(path) replaces it"
                            .formatted(path));
        }
    }

    /** Throws if there is something other than a stored stage. */
    void requireStageOrNone() {
        if (exists(folder) && !exists(folder.resolve(METADATA))) {
            throw new BadInputException(
                    "Cannot overwrite %s: expected a folder that save wrote, found one without metadata/. Save elsewhere"
                            .formatted(path));
        }
    }

    /** The metadata of the stage there; throws if there is none, or one of another class. */
    DefaultParamsReader.Metadata metadata(Class<?> type, SparkContext context) {
        if (!exists(folder.resolve(METADATA))) {
            throw new BadInputException("Cannot load %s from %s: expected a folder that save wrote, found %s"
                    .formatted(type.getSimpleName(), path, exists(folder) ? "one without metadata/" : "nothing"));
        }

        DefaultParamsReader.Metadata metadata = DefaultParamsReader.loadMetadata(path, context, "");
        if (!metadata.className().equals(type.getName())) {
            throw new BadInputException(
                    "Cannot load %s from %s: found %s".formatted(type.getSimpleName(), path, metadata.className()));
        }

        return metadata;
    }

    static boolean exists(Location folder) {
        try {
            return folder.files().exists(folder.path());
        } catch (IOException e) {
            throw new UncheckedIOException("Failed to look for " + folder, e);
        }
    }
}
