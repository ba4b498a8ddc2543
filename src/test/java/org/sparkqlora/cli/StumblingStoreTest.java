package org.sparkqlora.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FSDataOutputStream;
import org.apache.hadoop.fs.RawLocalFileSystem;
import org.apache.hadoop.util.Progressable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.sparkqlora.checkpoint.StumblingStore;
import org.sparkqlora.command.ExitCode;
import org.sparkqlora.options.Sessions;
import org.sparkqlora.spark.replica.HeldReplicas;

/** A run on a store that loses connections: it ends resumable, and never goes on from an older checkpoint than its newest. */
class StumblingStoreTest {
    private static final String[] OPTIONS = {"--max-steps", "4", "--checkpoint-every", "2"};

    @TempDir
    Path folder;

    @AfterAll
    static void stopSpark() {
        Sessions.stop();
    }

    @Test
    void aNewestCheckpointThatCannotBeReadNowEndsResumableAndIsTakenByTheNextRun() throws IOException {
        TrainRuns runs = TrainRuns.in(folder);
        String output = StumblingStore.path(folder.resolve("output"));
        Configuration hadoop = Sessions.context("test").hadoopConfiguration();
        StumblingStore.install(hadoop, "state.bin", 0);
        assertThat(runs.train(output, OPTIONS).code()).isEqualTo(ExitCode.OK);
        Path checkpoints = folder.resolve("output/checkpoints");
        long before = files(checkpoints);

        StumblingStore.install(hadoop, "state.bin", Integer.MAX_VALUE);
        CommandRun lost = runs.train(output, OPTIONS);

        assertThat(lost.code()).as(lost.err()).isEqualTo(ExitCode.RESUMABLE);
        assertThat(lost.err())
                .contains("Failed to read checkpoint step-4-", "no older one is taken for it", "connection reset");
        assertThat(files(checkpoints)).isEqualTo(before);

        StumblingStore.install(hadoop, "state.bin", 0);
        CommandRun again = runs.train(output, OPTIONS);

        assertThat(again.code()).as(again.err()).isEqualTo(ExitCode.OK);
        assertThat(again.err()).contains("resumed after step 4 of 4");
    }

    @Test
    void aClaimThatFailsEndsResumableAndHoldsNoModel() throws IOException {
        int before = HeldReplicas.count();
        Sessions.context("test").hadoopConfiguration().set("fs.unclaimed.impl", UnclaimedStore.class.getName());

        CommandRun run = TrainRuns.in(folder).train("unclaimed://" + folder.resolve("output"), OPTIONS);

        assertThat(run.code()).as(run.err()).isEqualTo(ExitCode.RESUMABLE);
        assertThat(run.err()).contains("Failed to claim checkpoint folder", "connection reset");
        assertThat(HeldReplicas.count()).isEqualTo(before);
    }

    /** A store that loses the connection when a driver claims a folder of it. */
    public static final class UnclaimedStore extends RawLocalFileSystem {
        @Override
        public URI getUri() {
            return URI.create("unclaimed:///");
        }

        @Override
        public FSDataOutputStream create(
                org.apache.hadoop.fs.Path file,
                boolean overwrite,
                int bufferSize,
                short replication,
                long blockSize,
                Progressable progress)
                throws IOException {
            if (file.getName().startsWith("attempt-")) {
                throw new IOException("connection reset");
            }

            return super.create(file, overwrite, bufferSize, replication, blockSize, progress);
        }
    }

    /** Files of checkpoints: claims come and go. */
    private static long files(Path checkpoints) throws IOException {
        try (Stream<Path> all = Files.walk(checkpoints)) {
            return all.filter(path -> path.toString().contains("/step-")).count();
        }
    }
}
