package org.sparkqlora.spark.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.Map;
import org.apache.spark.SparkConf;
import org.junit.jupiter.api.Test;

class ScratchFolderTest {
    private static final SparkConf CONFIGURED = new SparkConf(false).set("spark.local.dir", "/configured, /other");

    @Test
    void aContainerOfYarnHasTheFoldersOfItsApplication() {
        assertThat(ScratchFolder.localFolder(
                        Map.of(
                                "CONTAINER_ID",
                                "container_1",
                                "LOCAL_DIRS",
                                "/grid/0,/grid/1",
                                "SPARK_LOCAL_DIRS",
                                "/no"),
                        CONFIGURED))
                .isEqualTo(Path.of("/grid/0"));
    }

    @Test
    void anExecutorOfAStandaloneClusterHasThoseOfItsWorker() {
        assertThat(ScratchFolder.localFolder(
                        Map.of("SPARK_EXECUTOR_DIRS", "/scratch/a:/scratch/b", "SPARK_LOCAL_DIRS", "/no"), CONFIGURED))
                .isEqualTo(Path.of("/scratch/a"));
    }

    @Test
    void theEnvironmentGoesBeforeTheSetting() {
        assertThat(ScratchFolder.localFolder(Map.of("SPARK_LOCAL_DIRS", "/scratch"), CONFIGURED))
                .isEqualTo(Path.of("/scratch"));
        assertThat(ScratchFolder.localFolder(Map.of(), CONFIGURED)).isEqualTo(Path.of("/configured"));
        assertThat(ScratchFolder.localFolder(Map.of(), new SparkConf(false)))
                .isEqualTo(Path.of(System.getProperty("java.io.tmpdir")));
    }
}
