package org.sparkqlora.run.output;

import java.util.List;

/** The names of what a training run writes in its output folder. */
public final class RunFiles {
    /** The plan that was begun there. */
    public static final String PLAN = "plan.json";

    /** A line for each step. */
    public static final String METRICS = "metrics.jsonl";

    /** A line for each prompt and evaluation. */
    public static final String SAMPLES = "samples.jsonl";

    /** The run for people. */
    public static final String REPORT = "report.html";

    /** The id of the run in MLflow, so that a resumed run goes on with it. */
    public static final String MLFLOW_RUN = "mlflow-run.txt";

    public static final String CHECKPOINTS = "checkpoints";

    /** The checkpoint with the lowest held-out loss. */
    public static final String BEST = "best";

    /** The result in PEFT layout. */
    public static final String ADAPTER = "adapter";

    /** The result where all weights trained. */
    public static final String MODEL = "model";

    /** The adapter that was taken out of the base before the first step. */
    public static final String INITIAL_ADAPTER = "initial-adapter";

    /** Rows to train on. */
    public static final String ROWS = "prepared";

    /** Rows held out. */
    public static final String HELD_OUT_ROWS = "prepared-eval";

    /** Rows to train on, with the log-probabilities of the reference. */
    public static final String SCORED_ROWS = "prepared-reference";

    /** Rows held out, with the log-probabilities of the reference. */
    public static final String SCORED_HELD_OUT_ROWS = "prepared-eval-reference";

    /** All folders. */
    public static final List<String> FOLDERS = List.of(
            CHECKPOINTS, BEST, ROWS, HELD_OUT_ROWS, SCORED_ROWS, SCORED_HELD_OUT_ROWS, INITIAL_ADAPTER, ADAPTER, MODEL);

    private RunFiles() {}
}
