/**
 * BigDL 2.4 in a run: gradient exchange by its AllReduceParameter, event files by its summaries, triggers of checkpoints and evaluations. Not in the
 * jar for Spark 4; the rest of the program finds it through {@link org.sparkqlora.spark.exchange.BigDl}.
 */
@NullMarked
package org.sparkqlora.bigdl;

import org.jspecify.annotations.NullMarked;
