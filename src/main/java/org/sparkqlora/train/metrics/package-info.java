/** The record of a training run: metrics of steps, the time of their phases, slow workers, and reporters that follow a run. */
@NullMarked
package org.sparkqlora.train.metrics;

import org.jspecify.annotations.NullMarked;
