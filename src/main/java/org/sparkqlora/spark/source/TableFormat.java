package org.sparkqlora.spark.source;

import java.util.Map;
import java.util.Optional;
import org.apache.hadoop.fs.Path;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;

/** A table format that keeps data files beside a log of which of them count: read without the log, deleted rows come back. */
enum TableFormat {
    DELTA("Delta", "delta", Map.of("3.5", "io.delta:delta-spark_%s:3.3.2", "4.0", "io.delta:delta-spark_%s:4.0.0")),
    ICEBERG(
            "Iceberg",
            "iceberg",
            Map.of(
                    "3.5", "org.apache.iceberg:iceberg-spark-runtime-3.5_%s:1.10.1",
                    "4.0", "org.apache.iceberg:iceberg-spark-runtime-4.0_%s:1.10.1")),
    HUDI(
            "Hudi",
            "hudi",
            Map.of(
                    "3.5", "org.apache.hudi:hudi-spark3.5-bundle_%s:1.0.2",
                    "4.0", "org.apache.hudi:hudi-spark4.0-bundle_%s:1.1.0"));

    private static final String DELTA_SETTINGS = " --conf spark.sql.extensions=io.delta.sql.DeltaSparkSessionExtension"
            + " --conf spark.sql.catalog.spark_catalog=org.apache.spark.sql.delta.catalog.DeltaCatalog";
    private static final String FOLDERS_OF_ICEBERG = "spark.sql.catalog.default_iceberg";
    private static final String DELTA_LOG = "_delta_log";
    private static final String HUDI_FOLDER = ".hoodie";
    private static final String ICEBERG_FOLDER = "metadata";
    private static final String ICEBERG_FILE = ".metadata.json";

    private final String words;
    private final String source;
    private final Map<String, String> packages; // by line of Spark, with the version of Scala left open

    TableFormat(String words, String source, Map<String, String> packages) {
        this.words = words;
        this.source = source;
        this.packages = packages;
    }

    /** A format and the folder of a table that has it. */
    record Root(TableFormat format, Path folder) {}

    /** The table whose log {@code file} belongs to. */
    static Optional<Root> rootByLog(Path file) {
        Path parent = file.getParent();
        if (parent != null
                && parent.getName().equals(ICEBERG_FOLDER)
                && file.getName().contains(ICEBERG_FILE)) {
            return Optional.of(new Root(ICEBERG, parent.getParent()));
        }

        for (Path at = parent; at != null; at = at.getParent()) {
            if (at.getName().equals(DELTA_LOG)) {
                return Optional.of(new Root(DELTA, at.getParent()));
            }

            if (at.getName().equals(HUDI_FOLDER)) {
                return Optional.of(new Root(HUDI, at.getParent()));
            }
        }

        return Optional.empty();
    }

    /** The path of the log of a table in {@code folder}. */
    Path log(Path folder) {
        return new Path(
                folder,
                switch (this) {
                    case DELTA -> DELTA_LOG;
                    case ICEBERG -> ICEBERG_FOLDER;
                    case HUDI -> HUDI_FOLDER;
                });
    }

    /** The name of Spark's data source. */
    String source() {
        return source;
    }

    /**
     * Rows of the table in {@code folder}, or of what Spark finds under a longer {@code name}. Iceberg asks a catalog even for folders, and of the
     * active session: by default one of Hive, whose classes need not be there.
     */
    Dataset<Row> load(SparkSession session, String folder, String name, Map<String, String> options) {
        if (this != ICEBERG || session.conf().contains(FOLDERS_OF_ICEBERG)) {
            return session.read().format(source).options(options).load(name);
        }

        SparkSession own = session.newSession();
        own.conf().set(FOLDERS_OF_ICEBERG, "org.apache.iceberg.spark.SparkCatalog");
        own.conf().set(FOLDERS_OF_ICEBERG + ".type", "hadoop");
        own.conf().set(FOLDERS_OF_ICEBERG + ".warehouse", folder);
        own.conf().set(FOLDERS_OF_ICEBERG + ".cache-enabled", "false");
        SparkSession.setActiveSession(own);
        try {
            return own.read().format(source).options(options).load(name);
        } finally {
            SparkSession.setActiveSession(session);
        }
    }

    /** In words, for people. */
    String words() {
        return words;
    }

    /** The package that spark-submit needs to read it, for a version of Spark such as 3.5.9 and of Scala such as 2.12. */
    String submitOptions(String spark, String scala) {
        String line = spark.replaceFirst("^(\\d+\\.\\d+).*$", "$1");
        String named = packages.containsKey(line)
                ? packages.get(line).formatted(scala)
                : "with the %s data source of Spark %s and Scala %s".formatted(words, line, scala);
        return "--packages " + named + (this == DELTA ? DELTA_SETTINGS : "");
    }
}
