package org.sparkqlora.spark.source;

import java.util.function.Supplier;
import org.apache.spark.SparkThrowable;
import org.sparkqlora.input.BadInputException;
import org.sparkqlora.input.PrintableText;

/**
 * SQL's data exceptions: a value that an expression cannot take, such as a text that is cast to a number. The same work fails again, so
 * they are bad input. Driver only.
 */
public final class DataExceptions {
    /** SQLSTATE's class of data exceptions: with ANSI's rules, the default of Spark 4, they end a job. */
    private static final String DATA = "22";

    private DataExceptions() {}

    /**
     * Does {@code work}.
     *
     * @param doing what it does, in words
     * @throws BadInputException if a data exception ends it
     */
    public static <T> T refuse(String doing, Supplier<T> work) {
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
