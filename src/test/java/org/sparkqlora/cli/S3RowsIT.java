package org.sparkqlora.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FSDataOutputStream;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.sparkqlora.spark.prepare.PreparedData;
import org.sparkqlora.spark.prepare.PreparedRows;

/** A store has a pool of connections; data may have many more files of rows, and a batch rows of many of them. */
@Tag("platform")
@Timeout(value = 15, unit = TimeUnit.MINUTES)
class S3RowsIT {
    private static final int FILES = 200;
    private static final int CONNECTIONS = 8;
    private static final int TASKS = 4;

    /** Of one row of two tokens: length, two ids, a byte of trained bits, a byte of starts. */
    private static final byte[] ROW = {2, 0, 0, 0, 5, 0, 0, 0, 6, 0, 0, 0, 2, 1};

    @Test
    void moreFilesOfRowsThanConnectionsAreRead() throws Exception {
        try (MotoServer server = MotoServer.start()) {
            server.createBucket("rows");
            Configuration configuration = settings(server);
            Path folder = new Path("s3a://rows/prepared");
            write(folder, configuration);

            PreparedData data = PreparedData.open(folder.toString(), configuration);
            try (PreparedRows rows = data.reader(configuration)) {
                List<CompletableFuture<Long>> tasks = IntStream.range(0, TASKS)
                        .mapToObj(task -> CompletableFuture.supplyAsync(() -> readAll(rows)))
                        .toList();

                assertThat(tasks.stream().map(CompletableFuture::join))
                        .hasSize(TASKS)
                        .containsOnly((long) FILES);
                assertThat(readAll(rows)).isEqualTo(FILES);
            }
        }
    }

    /** As a batch, whose requests go side by side. */
    private static long readAll(PreparedRows rows) {
        return rows.readAll(LongStream.range(0, rows.rows()).toArray()).stream()
                .filter(row -> row.ids()[0] == 5)
                .count();
    }

    private static void write(Path folder, Configuration configuration) throws IOException {
        FileSystem files = folder.getFileSystem(configuration);
        StringBuilder named = new StringBuilder();
        for (int i = 0; i < FILES; i++) {
            String name = "rows-a-%05d.bin".formatted(i);
            put(files, new Path(folder, name), ROW);
            named.append(i == 0 ? "" : ",").append("{\"name\":\"%s\",\"rows\":1,\"sha256\":\"\"}".formatted(name));
        }

        String counts =
                "{\"examples\":200,\"rows\":200,\"tokens\":400,\"trained_tokens\":200,\"truncated\":0,\"untrained\":0,\"bad\":0}";
        String manifest = "{\"format_version\":1,\"fingerprint\":\"a\",\"width\":2,\"files\":[%s],\"counts\":%s}"
                .formatted(named, counts);
        put(files, new Path(folder, "manifest.json"), manifest.getBytes(StandardCharsets.UTF_8));
    }

    private static void put(FileSystem files, Path path, byte[] bytes) throws IOException {
        try (FSDataOutputStream out = files.create(path)) {
            out.write(bytes);
        }
    }

    private static Configuration settings(MotoServer server) {
        Configuration configuration = new Configuration();
        configuration.set("fs.s3a.endpoint", server.url());
        configuration.set("fs.s3a.endpoint.region", "us-east-1");
        configuration.set("fs.s3a.path.style.access", "true");
        configuration.set("fs.s3a.connection.ssl.enabled", "false");
        configuration.set("fs.s3a.access.key", "test");
        configuration.set("fs.s3a.secret.key", "test");
        configuration.set("fs.s3a.aws.credentials.provider", "org.apache.hadoop.fs.s3a.SimpleAWSCredentialsProvider");
        configuration.setInt("fs.s3a.connection.maximum", CONNECTIONS);
        configuration.setInt("fs.s3a.attempts.maximum", 1);
        configuration.set("fs.s3a.connection.establish.timeout", "3000");
        configuration.set("fs.s3a.retry.limit", "1");
        return configuration;
    }
}
