package org.sparkqlora.spark.source;

import java.util.function.Supplier;
import org.apache.spark.SparkThrowable;
import org.sparkqlora.input.BadInputException;
import org.sparkqlora.input.PrintableText;

/**
 * Work on rows that Spark computes, in which a value that their expressions cannot take, such as a text that is to be a number, is told
 * from a fault that passes. Driver only.
 */
public final class RowValues {
    /** SQLSTATE's class of data exceptions: with ANSI's rules, the default of Spark 4, they end a job. */
    private static final String DATA = "22";

    private RowValues() {}

    /** Does {@code work}, which {@code doing} says in words. */
    public static <T> T in(String doing, Supplier<T> work) {
        try {
            return work.get();
        } catch (Exception e) { // Spark throws a lost job as a checked exception that no signature declares
            for (Throwable cause = e;
                    cause != null && !(cause instanceof BadInputException);
                    cause = cause.getCause()) {
                if (cause instanceof Exception thrown && isOfData(thrown)) {
                    throw new BadInputException(
                            "Cannot %s: expected values that its expressions can take, found %s"
                                    .formatted(doing, PrintableText.firstLine(thrown)),
                            e);
                }
            }

            throw e;
        }
    }

    private static boolean isOfData(Exception thrown) {
        return thrown instanceof SparkThrowable told
                && told.getSqlState() != null
                && told.getSqlState().startsWith(DATA);
    }
}
