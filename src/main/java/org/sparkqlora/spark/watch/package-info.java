/** Following a run: its events on Spark's listener bus, what they come to, and files and services that show it. Driver only. */
@NullMarked
package org.sparkqlora.spark.watch;

import org.jspecify.annotations.NullMarked;
