package org.sparkqlora.cli;

import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** The parameters of the DAGs of {@code deploy/airflow} in tests. */
final class Pipeline {
    static final Path JAR = PythonPackage.jar();
    static final Path SETTINGS = Path.of("spark-conf", "local.conf").toAbsolutePath();

    private static final int LONGEST_SEQUENCE = 64;
    private static final int CHECKPOINT_EVERY = 4;

    private Pipeline() {}

    /**
     * What is filled into the file of a DAG.
     *
     * @param root where its runs and its results go
     */
    static Map<String, Object> names(TrainRuns runs, String root) {
        Map<String, Object> names = new HashMap<>();
        names.put("inputs", List.of(runs.model(), runs.source(), root));
        names.put("model", runs.model());
        names.put("data", runs.source());
        names.put("held_out", runs.source());
        names.put("runs", root + "/runs");
        names.put("published", root + "/published");
        names.put("jar", JAR.toString());
        names.put("model_options", List.of("--precision=fp32", "--model-cache=" + runs.cache()));
        return names;
    }

    /** The training of {@link #calm}, as a DAG is triggered for it. */
    static Map<String, Object> params(int steps) {
        Map<String, Object> params = new HashMap<>();
        params.put("sequence_length", LONGEST_SEQUENCE);
        params.put("max_loss", 10);
        params.put(
                "train_options",
                List.of(
                        "--batch-size=4",
                        "--shards=2",
                        "--checkpoint-every=" + CHECKPOINT_EVERY,
                        "--max-steps=" + steps));
        return params;
    }

    /** This training in the process of the test, undisturbed. */
    static CommandRun calm(TrainRuns runs, String output, int steps) {
        return runs.train(output, "--max-steps", "" + steps, "--checkpoint-every", "" + CHECKPOINT_EVERY);
    }
}
