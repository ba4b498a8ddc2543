/** Replicas of the training State in driver and executors, kept current by snapshots and updates. */
@NullMarked
package org.sparkqlora.spark.replica;

import org.jspecify.annotations.NullMarked;
