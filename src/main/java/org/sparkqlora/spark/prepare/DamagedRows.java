package org.sparkqlora.spark.prepare;

import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.List;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.ChecksumException;
import org.apache.hadoop.fs.Path;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.api.java.function.Function;
import org.apache.spark.broadcast.Broadcast;
import org.apache.spark.util.SerializableConfiguration;
import org.sparkqlora.spark.cluster.HadoopJobs;
import org.sparkqlora.spark.cluster.TaskSlots;
import org.sparkqlora.storage.DamagedFileException;
import org.sparkqlora.storage.StorePath;
import org.sparkqlora.storage.StoredFile;
import org.sparkqlora.tokenizer.packing.RowLayout;

/** Looks for files of rows that are gone or hold other bytes than were written. */
final class DamagedRows {
    private DamagedRows() {}

    /** Names of the files of {@code data} that are not as they were written. Driver only; tasks read them. */
    static List<String> of(PreparedData data, JavaSparkContext context) {
        List<PreparedFile> files = data.manifest().files();
        if (files.isEmpty()) {
            return List.of();
        }

        try (HadoopJobs jobs = HadoopJobs.begin(context, "check %d files of prepared rows", files.size())) {
            Whole whole = new Whole(data.folder(), data.manifest().layout(), jobs.hadoop());
            return context.parallelize(files, TaskSlots.parts(context, files.size()))
                    .filter(file -> !whole.call(file))
                    .map(PreparedFile::name)
                    .collect();
        }
    }

    /** Whether {@code file} in {@code folder} has the length and checksum that were recorded. */
    static boolean isWhole(PreparedFile file, RowLayout layout, String folder, Configuration configuration) {
        Path path = new Path(folder);
        long bytes = file.rows() * layout.byteSize();
        try {
            new StoredFile(file.name(), bytes, file.sha256()).verify(StorePath.files(path, configuration), path);
            return true;
        } catch (FileNotFoundException | DamagedFileException | ChecksumException e) {
            return false;
        } catch (IOException e) {
            throw new UncheckedIOException("Failed to check %s in %s".formatted(file.name(), folder), e);
        }
    }

    /** Checks a file in a task. */
    private record Whole(String folder, RowLayout layout, Broadcast<SerializableConfiguration> configuration)
            implements Function<PreparedFile, Boolean> {
        @Override
        public Boolean call(PreparedFile file) {
            return isWhole(file, layout, folder, configuration.value().value());
        }
    }
}
