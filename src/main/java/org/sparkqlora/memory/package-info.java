/** Estimates of the memory that a training run needs, on processors and on GPUs, from shapes alone. */
@NullMarked
package org.sparkqlora.memory;

import org.jspecify.annotations.NullMarked;
