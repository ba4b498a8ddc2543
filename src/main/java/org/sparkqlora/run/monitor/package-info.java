/** Monitoring of a training run: the terminal, warnings, its metrics on a store that cannot append, and the report at its end. */
@NullMarked
package org.sparkqlora.run.monitor;

import org.jspecify.annotations.NullMarked;
