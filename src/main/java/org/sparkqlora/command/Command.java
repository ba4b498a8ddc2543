package org.sparkqlora.command;

import org.sparkqlora.options.Console;
import org.sparkqlora.options.Problems;

/** A request of a person; its fields are filled from options by name, those of a command line or of a program. */
public interface Command {
    /** Reports all that is wrong with the options, without changing anything. Required options may be missing here. */
    void check(Problems problems);

    /**
     * Does the work of options that passed {@link #check}.
     *
     * @param console takes progress, and results that are lines
     * @return the summary, a JSON object in one line; empty where lines are the result
     */
    String run(Console console);
}
