package org.sparkqlora.spark.mlflow;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.URI;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.sparkqlora.spark.lineage.LineageDataset;
import org.sparkqlora.spark.lineage.LineageName;

class MlflowInputTest {
    private static final String ROWS = "0123456789abcdef0123456789abcdef0123456789abcdef";

    @Test
    void aDeltaTableHasItsVersion() {
        LineageDataset table = new LineageDataset(
                "s3://lake", "chats", "7", new LineageName("hive://store:9083", "main.chats"), "delta", null);

        MlflowInput input = MlflowInput.of(table, "training", ROWS);

        assertThat(input.name()).isEqualTo("main.chats");
        assertThat(input.digest()).isEqualTo("7");
        assertThat(input.sourceType()).isEqualTo("delta_table");
        assertThat(input.source())
                .isEqualTo(Map.of(
                        "path", "s3://lake/chats", "delta_table_name", "main.chats", "delta_table_version", "7"));
    }

    @Test
    void anIcebergTableIsOneOfSpark() {
        LineageDataset table = new LineageDataset("file", "/lake/chats", "812", null, "iceberg", null);

        assertThat(MlflowInput.of(table, "evaluation", ROWS))
                .isEqualTo(new MlflowInput("/lake/chats", "812", "evaluation", "spark", Map.of("path", "/lake/chats")));
    }

    @Test
    void filesHaveTheDigestOfTheirRows() {
        LineageDataset files = LineageDataset.at(URI.create("hdfs://name:8020/chats"));

        assertThat(MlflowInput.of(files, "training", ROWS))
                .isEqualTo(new MlflowInput(
                        "/chats", ROWS.substring(0, 36), "training", "hdfs", Map.of("uri", "hdfs://name:8020/chats")));
    }
}
