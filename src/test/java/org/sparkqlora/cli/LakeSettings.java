package org.sparkqlora.cli;

import java.nio.file.Path;
import java.util.Map;

/** Settings of a session that knows tables of Delta and, in the catalog {@code ice}, of Iceberg. */
public final class LakeSettings {
    private LakeSettings() {}

    /** With all tables below {@code folder}. */
    public static Map<String, String> in(Path folder) {
        return Map.of(
                "spark.kryo.registrationRequired", "false", // classes of the formats
                "spark.sql.shuffle.partitions", "2",
                "spark.databricks.delta.snapshotPartitions", "2",
                "spark.sql.extensions", "io.delta.sql.DeltaSparkSessionExtension",
                "spark.sql.catalog.spark_catalog", "org.apache.spark.sql.delta.catalog.DeltaCatalog",
                "spark.sql.catalog.ice", "org.apache.iceberg.spark.SparkCatalog",
                "spark.sql.catalog.ice.type", "hadoop",
                "spark.sql.catalog.ice.warehouse", folder.resolve("ice").toString(),
                "spark.sql.warehouse.dir", folder.resolve("warehouse").toString());
    }
}
