package org.sparkqlora.spark.cluster;

import java.util.List;

/** The lines of Spark that this folder of sources is for. */
final class BuiltFor {
    static final List<SparkLine> LINES = List.of(new SparkLine("3.5", "2.12"));

    private BuiltFor() {}
}
