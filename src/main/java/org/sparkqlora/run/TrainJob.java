package org.sparkqlora.run;

import java.io.PrintStream;
import java.util.List;
import org.slf4j.Logger;
import org.sparkqlora.options.Arguments;
import org.sparkqlora.options.Console;
import org.sparkqlora.options.LogLines;
import org.sparkqlora.options.TrainOptions;

/** A run of {@code train} that a program starts. Driver only. */
public final class TrainJob {
    private final TrainOptions options;

    private TrainJob(TrainOptions options) {
        this.options = options;
    }

    /** Checks {@code arguments}, as a command line would have them, and tells all that is wrong with them at once. */
    public static TrainJob of(List<String> arguments) {
        return new TrainJob(Arguments.parse(new TrainOptions(), arguments, TrainOptions::checkAll));
    }

    /** Trains in the session that is there, telling {@code log} how it goes. Neither ends the process nor the session. */
    public Trained run(Logger log) {
        PrintStream notes = LogLines.of(log);
        return new TrainingJob(options, TrainingJob.Until.PUBLISHED, Console.log(notes, notes))
                .run()
                .orElseThrow();
    }
}
