/** Monitoring of a training run: the terminal, warnings, and the report at its end. */
@NullMarked
package org.sparkqlora.run.monitor;

import org.jspecify.annotations.NullMarked;
