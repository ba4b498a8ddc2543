/**
 * Optimisers over the flat vector of trainable parameters, learning-rate schedules and gradient clipping. Every update is
 * elementwise, without fused operations, and gives the same bits for any number of threads and any page size.
 */
@NullMarked
package org.sparkqlora.optim;

import org.jspecify.annotations.NullMarked;
