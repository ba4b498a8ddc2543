package org.sparkqlora.spark.cluster;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.apache.spark.SparkConf;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.sparkqlora.storage.TemporaryFolder;

class ScratchFolderTest {
    private static final SparkConf CONFIGURED = new SparkConf(false).set("spark.local.dir", "/configured, /other");

    @Test
    void aContainerOfYarnHasTheFoldersOfItsApplication() {
        assertThat(ScratchFolder.localFolders(
                        Map.of(
                                "CONTAINER_ID",
                                "container_1",
                                "LOCAL_DIRS",
                                "/grid/0,/grid/1",
                                "SPARK_LOCAL_DIRS",
                                "/no"),
                        CONFIGURED))
                .containsExactly(Path.of("/grid/0"), Path.of("/grid/1"));
    }

    @Test
    void anExecutorOfAStandaloneClusterHasThoseOfItsWorker() {
        assertThat(ScratchFolder.localFolders(
                        Map.of("SPARK_EXECUTOR_DIRS", "/scratch/a:/scratch/b", "SPARK_LOCAL_DIRS", "/no"), CONFIGURED))
                .containsExactly(Path.of("/scratch/a"), Path.of("/scratch/b"));
    }

    @Test
    void theEnvironmentGoesBeforeTheSetting() {
        assertThat(ScratchFolder.localFolders(Map.of("SPARK_LOCAL_DIRS", "/scratch"), CONFIGURED))
                .containsExactly(Path.of("/scratch"));
        assertThat(ScratchFolder.localFolders(Map.of(), CONFIGURED))
                .containsExactly(Path.of("/configured"), Path.of("/other"));
        assertThat(ScratchFolder.localFolders(Map.of(), new SparkConf(false)))
                .containsExactly(Path.of(System.getProperty("java.io.tmpdir")));
    }

    @Test
    void aLocalFolderThatCannotBeWrittenIsPassedOver(@TempDir Path folder) throws IOException {
        Path file = Files.writeString(folder.resolve("file"), "text");
        Path other = folder.resolve("other");

        try (TemporaryFolder scratch = ScratchFolder.inFirst(List.of(file, other))) {
            assertThat(scratch.path()).hasParent(other);
        }

        assertThatThrownBy(() -> ScratchFolder.inFirst(List.of(file)))
                .isInstanceOf(UncheckedIOException.class)
                .hasMessage("Failed to create a temporary folder in " + file);
    }
}
