package org.sparkqlora.cli;

import java.io.PrintStream;
import java.util.List;
import org.slf4j.Logger;

/** A run of {@code train} that a program starts. Driver only. */
public final class TrainJob {
    private final TrainCommand command;

    private TrainJob(TrainCommand command) {
        this.command = command;
    }

    /** Checks {@code arguments}, as a command line would have them, and tells all that is wrong with them at once. */
    public static TrainJob of(List<String> arguments) {
        return new TrainJob(Arguments.parse(new TrainCommand(), arguments, TrainCommand::check));
    }

    /** Trains in the session that is there, telling {@code log} how it goes. Neither ends the process nor the session. */
    public Trained run(Logger log) {
        PrintStream notes = LogLines.of(log);
        return new Training(command.options, Training.Until.PUBLISHED, Console.log(notes, notes))
                .run()
                .orElseThrow();
    }
}
