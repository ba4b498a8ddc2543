/** Checks of a cluster before a run: settings, memory, libraries and folders of driver and executors. */
@NullMarked
package org.sparkqlora.spark.check;

import org.jspecify.annotations.NullMarked;
