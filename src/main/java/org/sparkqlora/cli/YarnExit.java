package org.sparkqlora.cli;

import java.lang.reflect.Constructor;
import org.apache.spark.SparkUserAppException;
import org.sparkqlora.cli.command.ExitCode;

/** Ends a driver inside YARN with an exit code, which its application master would not report otherwise. */
final class YarnExit {
    private YarnExit() {}

    /** The exception's constructor takes the code, and since Spark 4.1 also a cause. */
    static Exception of(ExitCode code) throws ReflectiveOperationException {
        Constructor<?> constructor = SparkUserAppException.class.getConstructors()[0];
        Object[] values =
                constructor.getParameterCount() == 1 ? new Object[] {code.code()} : new Object[] {code.code(), null};
        return (Exception) constructor.newInstance(values);
    }
}
