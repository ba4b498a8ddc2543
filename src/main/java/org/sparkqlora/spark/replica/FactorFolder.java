package org.sparkqlora.spark.replica;

import java.io.IOException;
import java.io.UncheckedIOException;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.broadcast.Broadcast;
import org.apache.spark.util.SerializableConfiguration;
import org.sparkqlora.checkpoint.AdapterFolder;
import org.sparkqlora.model.layout.ParameterIndex;
import org.sparkqlora.storage.StorePath;
import org.sparkqlora.tensor.FlatVector;
import org.sparkqlora.train.FolderModelSource;

/**
 * Factors in an adapter folder on any Hadoop file system.
 *
 * @param folder its path
 * @param configuration of Hadoop's file systems
 */
public record FactorFolder(String folder, String hash, Broadcast<SerializableConfiguration> configuration)
        implements FolderModelSource.StoredFactors {
    /** Driver only. */
    public static FactorFolder of(JavaSparkContext context, String folder, String hash) {
        return new FactorFolder(
                folder, hash, context.broadcast(new SerializableConfiguration(context.hadoopConfiguration())));
    }

    @Override
    public FlatVector read(ParameterIndex index) {
        Path path = new Path(folder);
        FileSystem files = files(path);
        AdapterFolder.requireHash(files, path, hash);
        return AdapterFolder.read(files, path, index);
    }

    private FileSystem files(Path path) {
        try {
            return StorePath.files(path, configuration.value().value());
        } catch (IOException e) {
            throw new UncheckedIOException("Failed to open the file system of " + folder, e);
        }
    }
}
