package org.sparkqlora.cli;

import org.apache.spark.SparkUserAppException;
import org.sparkqlora.cli.command.ExitCode;

/** Ends a driver inside YARN with an exit code, which its application master would not report otherwise. */
final class YarnExit {
    private YarnExit() {}

    static Exception of(ExitCode code) {
        return new SparkUserAppException(code.code());
    }
}
