/**
 * Sums the gradients of all shards in a fixed order: collected, in the driver; by shuffles, where the sum stays with executors; or by BigDL.
 * A part that is lost is noticed by {@code PartGroups} where it is added, by {@code HeldGradient} where it is fetched, and in sums of BigDL
 * by the counts of {@code TaggedSlices}.
 */
@NullMarked
package org.sparkqlora.spark.exchange;

import org.jspecify.annotations.NullMarked;
