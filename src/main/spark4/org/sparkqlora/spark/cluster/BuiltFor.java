package org.sparkqlora.spark.cluster;

import java.util.List;
import java.util.stream.Stream;

/** The lines of Spark that this folder of sources is for. */
final class BuiltFor {
    static final List<SparkLine> LINES = Stream.of("4.0", "4.1", "4.2", "4.3")
            .map(line -> new SparkLine(line, "2.13"))
            .toList();

    private BuiltFor() {}
}
