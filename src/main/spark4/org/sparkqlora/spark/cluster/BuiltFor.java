package org.sparkqlora.spark.cluster;

import java.util.List;

/** The lines of Spark that this folder of sources is for. */
final class BuiltFor {
    static final List<SparkLine> LINES = List.of(new SparkLine("4.0", "2.13"), new SparkLine("4.1", "2.13"));

    private BuiltFor() {}
}
