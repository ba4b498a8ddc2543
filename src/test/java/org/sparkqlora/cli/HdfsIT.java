package org.sparkqlora.cli;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Map;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.hdfs.MiniDFSCluster;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.io.TempDir;
import org.sparkqlora.options.Required;

/** A run on HDFS, served by this process. */
@Tag("platform")
class HdfsIT extends StoreContract {
    @TempDir
    static Path disk;

    private @Nullable MiniDFSCluster cluster;

    @Override
    String root() {
        return Required.value("cluster", cluster).getURI() + "/user";
    }

    @Override
    Map<String, String> settings() {
        Configuration configuration = new Configuration();
        configuration.set(MiniDFSCluster.HDFS_MINIDFS_BASEDIR, disk.toString());
        try {
            cluster = new MiniDFSCluster.Builder(configuration).numDataNodes(1).build();
            cluster.waitActive();
        } catch (IOException e) {
            throw new java.io.UncheckedIOException("Failed to start HDFS", e);
        }

        return Map.of();
    }

    @AfterAll
    void stopCluster() {
        Required.value("cluster", cluster).shutdown();
    }
}
