/** The command line: reads it, prints what its command tells, and ends the process with a code. */
@NullMarked
package org.sparkqlora.cli;

import org.jspecify.annotations.NullMarked;
