/** Preparing data as a Spark job, a training step as a plain Spark job, and what each executor holds for it. */
@NullMarked
package org.sparkqlora.spark;

import org.jspecify.annotations.NullMarked;
