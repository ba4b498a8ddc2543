/** The record of a training run: metrics of steps, where their time went, slow workers, and what follows a run. */
@NullMarked
package org.sparkqlora.train.metrics;

import org.jspecify.annotations.NullMarked;
