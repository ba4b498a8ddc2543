package org.sparkqlora.spark.source;

import java.util.Optional;
import java.util.function.Supplier;
import org.apache.spark.api.java.JavaPairRDD;

/** Records that Spark reads, with a place in an order that depends on nothing but them. */
public interface NumberedRecords {
    long count();

    /** Most records that a task may have to read one after the other: all, where it is not known before. */
    default long longestPiece() {
        return count();
    }

    /** Each record as JSON under its place, from 0; null in place of a row that is none. */
    JavaPairRDD<Long, String> numbered();

    /** Does work that reads them; a damaged file is bad input. */
    default <T> T read(Supplier<T> work) {
        return work.get();
    }

    /** The source of the records, in words. */
    String words();

    /** A sample record, to show how records are read. */
    Optional<String> sample();

    /** The file and line of the record at a place, for people. */
    BadLine place(long record, String problem);
}
