package org.sparkqlora.cli;

import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;

/** What the DAGs of {@code deploy/airflow} are told in tests. */
final class Pipeline {
    static final Path JAR = Path.of("target", "spark-qlora.jar").toAbsolutePath();
    static final Path SETTINGS = Path.of("spark-conf", "local.conf").toAbsolutePath();

    private static final int LONGEST_SEQUENCE = 64;
    private static final int CHECKPOINT_EVERY = 4;

    private Pipeline() {}

    /**
     * The training of {@link #calm}, by a DAG.
     *
     * @param root where its runs and its results go
     */
    static Map<String, Object> params(TrainRuns runs, String root, int steps) {
        Map<String, Object> params = new HashMap<>();
        params.put("model", runs.model());
        params.put("data", runs.source());
        params.put("held_out", runs.source());
        params.put("runs", root + "/runs");
        params.put("published", root + "/published");
        params.put("jar", JAR.toString());
        params.put("properties_file", SETTINGS.toString());
        params.put("sequence_length", LONGEST_SEQUENCE);
        params.put("max_loss", 10);
        params.put("model_options", "--precision fp32 --model-cache " + runs.cache());
        params.put(
                "train_options",
                "--batch-size 4 --shards 2 --checkpoint-every %d --max-steps %d".formatted(CHECKPOINT_EVERY, steps));
        return params;
    }

    /** The same training in this process, where nothing happens to it. */
    static CommandRun calm(TrainRuns runs, String output, int steps) {
        return runs.train(output, "--max-steps", "" + steps, "--checkpoint-every", "" + CHECKPOINT_EVERY);
    }
}
