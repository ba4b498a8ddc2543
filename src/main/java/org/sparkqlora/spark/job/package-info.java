/** Spark jobs that compute with the model: gradients of a step, losses, answers. */
@NullMarked
package org.sparkqlora.spark.job;

import org.jspecify.annotations.NullMarked;
