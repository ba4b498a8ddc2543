/** A run in an MLflow tracking server, by its REST interface: a request a few seconds from a thread of its own. Driver only. */
@NullMarked
package org.sparkqlora.spark.mlflow;

import org.jspecify.annotations.NullMarked;
