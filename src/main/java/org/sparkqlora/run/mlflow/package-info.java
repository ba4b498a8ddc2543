/** What MLflow gets of a run: its files, and the model that it registers. */
@NullMarked
package org.sparkqlora.run.mlflow;

import org.jspecify.annotations.NullMarked;
