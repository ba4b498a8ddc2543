/**
 * What BigDL 2.4 does for a run: gradient exchange by its AllReduceParameter, event files by its summaries, occasions by its triggers. Built by the Maven profile {@code bigdl} only;
 * the rest of the program finds it through {@link org.sparkqlora.spark.BigDl}.
 */
@NullMarked
package org.sparkqlora.bigdl;

import org.jspecify.annotations.NullMarked;
