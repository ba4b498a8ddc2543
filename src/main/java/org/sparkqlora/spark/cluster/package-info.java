/** The cluster at hand: its task slots, cores and GPUs, Spark's settings and version, failed tasks. */
@NullMarked
package org.sparkqlora.spark.cluster;

import org.jspecify.annotations.NullMarked;
