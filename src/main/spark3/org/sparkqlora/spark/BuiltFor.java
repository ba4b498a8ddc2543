package org.sparkqlora.spark;

/** The line of Spark that this folder of sources is for. */
final class BuiltFor {
    static final SparkLine LINE = new SparkLine("3", "2.12");

    private BuiltFor() {}
}
