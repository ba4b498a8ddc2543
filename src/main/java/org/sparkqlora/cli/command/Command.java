package org.sparkqlora.cli.command;

import org.sparkqlora.options.Console;
import org.sparkqlora.options.Problems;

/** A command of the command line; its fields are filled from the options. */
public interface Command {
    /** Reports all that is wrong with the options, without changing anything. Required options may be missing here. */
    void check(Problems problems);

    /** Does the work of options that passed {@link #check}. Its last result is a JSON object that sums it up. */
    void run(Console console);
}
