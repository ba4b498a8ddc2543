package org.sparkqlora.cli;

import org.apache.spark.SparkUserAppException;

/** How a driver inside YARN ends with a code: its application master would not tell an exit's. */
final class YarnExit {
    private YarnExit() {}

    static Exception of(ExitCode code) {
        return new SparkUserAppException(code.code());
    }
}
