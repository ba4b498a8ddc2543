/** {@code inspect}: what a path holds, and how training sees a data file. */
@NullMarked
package org.sparkqlora.command.inspect;

import org.jspecify.annotations.NullMarked;
