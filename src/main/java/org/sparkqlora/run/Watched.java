package org.sparkqlora.run;

import java.util.Optional;
import org.sparkqlora.memory.MemoryPlan;
import org.sparkqlora.spark.mlflow.MlflowExperiment;

/**
 * What following a run needs beside the run.
 *
 * @param memory where it is reckoned to go
 * @param mlflow where the run is to be kept too
 * @param vocabulary tokens of the model
 * @param replaced the run of another plan whose place this one takes
 */
record Watched(MemoryPlan memory, Optional<MlflowExperiment> mlflow, int vocabulary, Optional<EarlierRun> replaced) {}
