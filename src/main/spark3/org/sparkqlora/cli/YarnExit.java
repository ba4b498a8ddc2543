package org.sparkqlora.cli;

import org.apache.spark.SparkUserAppException;
import org.sparkqlora.cli.command.ExitCode;

/** How a driver inside YARN ends with a code: its application master would not tell an exit's. */
final class YarnExit {
    private YarnExit() {}

    static Exception of(ExitCode code) {
        return new SparkUserAppException(code.code());
    }
}
