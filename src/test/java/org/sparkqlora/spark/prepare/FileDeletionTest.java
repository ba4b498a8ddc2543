package org.sparkqlora.spark.prepare;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.IntStream;
import org.apache.hadoop.fs.FileSystem;
import org.apache.spark.api.java.JavaSparkContext;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.sparkqlora.spark.job.Clusters;
import org.sparkqlora.storage.CountingStore;

class FileDeletionTest {
    @TempDir
    private Path folder;

    @ParameterizedTest(name = "{0} files, by tasks: {1}")
    @CsvSource({"3, false", "1100, true"})
    void deletesWhatItIsToldAndNothingElse(int count, boolean byTasks) throws IOException {
        List<org.apache.hadoop.fs.Path> gone =
                IntStream.range(0, count).mapToObj(this::create).toList();
        Path stays = Files.createFile(folder.resolve("stays"));

        int jobs = Clusters.on(Clusters.TWO_SLOTS, context -> {
            CountingStore.installIn(context.hadoopConfiguration());
            delete(context, gone);
            return context.statusTracker().getJobIdsForGroup(null).length;
        });

        assertThat(folder.toFile().listFiles()).containsExactly(stays.toFile());
        assertThat(CountingStore.DELETES.get()).isEqualTo(count);
        assertThat(jobs).isEqualTo(byTasks ? 1 : 0);
    }

    private static void delete(JavaSparkContext context, List<org.apache.hadoop.fs.Path> gone) {
        try {
            FileSystem files = gone.get(0).getFileSystem(context.hadoopConfiguration());
            new FileDeletion(context).delete(files, gone);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private org.apache.hadoop.fs.Path create(int number) {
        try {
            return new org.apache.hadoop.fs.Path(
                    CountingStore.path(Files.createFile(folder.resolve("rows-" + number))));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
