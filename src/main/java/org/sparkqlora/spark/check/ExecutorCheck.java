package org.sparkqlora.spark.check;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.apache.hadoop.fs.Path;
import org.apache.spark.SparkEnv;
import org.apache.spark.api.java.function.Function;
import org.apache.spark.broadcast.Broadcast;
import org.apache.spark.util.SerializableConfiguration;
import org.sparkqlora.spark.cluster.ProcessFacts;
import org.sparkqlora.spark.cluster.TaskGpus;
import org.sparkqlora.train.ModelSource;

/** What an executor has and what it cannot reach. Runs in a task. */
final class ExecutorCheck implements Function<Integer, ProcessFacts> {
    private static final long serialVersionUID = 1L;

    private final ModelSource model;
    private final List<String> folders;
    private final Broadcast<SerializableConfiguration> configuration;

    /** @param folders that the driver sees */
    ExecutorCheck(ModelSource model, List<String> folders, Broadcast<SerializableConfiguration> configuration) {
        this.model = model;
        this.folders = folders;
        this.configuration = configuration;
    }

    @Override
    public ProcessFacts call(Integer slot) {
        List<String> missing = new ArrayList<>();
        model.problem(TaskGpus.addresses()).ifPresent(missing::add);
        folders.forEach(folder -> checkFolder(folder, missing));
        SparkEnv env = SparkEnv.get();
        String name = "executor %s on %s"
                .formatted(env.executorId(), env.blockManager().blockManagerId().host());
        return ProcessFacts.ofThisProcess(name, missing);
    }

    private void checkFolder(String folder, List<String> missing) {
        Path path = new Path(folder);
        try {
            if (!path.getFileSystem(configuration.value().value()).exists(path)) {
                missing.add(
                        "Cannot see %s: expected the folder that the driver sees. Take one on a file system that all share."
                                .formatted(folder));
            }
        } catch (IOException e) {
            missing.add("Cannot reach %s: %s".formatted(folder, e.getMessage()));
        }
    }
}
