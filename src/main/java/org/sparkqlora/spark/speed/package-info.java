/** How fast a cluster moves and adds blocks and runs tasks, measured by jobs on it. */
@NullMarked
package org.sparkqlora.spark.speed;

import org.jspecify.annotations.NullMarked;
