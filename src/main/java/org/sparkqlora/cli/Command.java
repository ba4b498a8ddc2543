package org.sparkqlora.cli;

/** A command of the command line; its fields are filled from the options. */
interface Command {
    /** Reports all that is wrong with the options, without changing anything. Required options may be missing here. */
    void check(Problems problems);

    /** Does the work of options that passed {@link #check}. Its last result is a JSON object that sums it up. */
    void run(Console console);
}
