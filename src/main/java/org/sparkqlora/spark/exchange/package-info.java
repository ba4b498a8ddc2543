/** Sums the gradients of all shards in a fixed order: collected, in the driver, or by shuffles, where the sum stays with executors. */
@NullMarked
package org.sparkqlora.spark.exchange;

import org.jspecify.annotations.NullMarked;
