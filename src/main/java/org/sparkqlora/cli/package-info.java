/** The commands: parse, check, run, report, exit code. */
@NullMarked
package org.sparkqlora.cli;

import org.jspecify.annotations.NullMarked;
