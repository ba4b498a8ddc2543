/** Monitoring of a run: its events on Spark's listener bus, the state folded from them, and the files and services that show it. Driver only. */
@NullMarked
package org.sparkqlora.spark.watch;

import org.jspecify.annotations.NullMarked;
