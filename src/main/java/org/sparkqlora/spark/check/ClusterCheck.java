package org.sparkqlora.spark.check;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.stream.IntStream;
import org.apache.hadoop.fs.Path;
import org.apache.spark.SparkEnv;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.api.java.function.Function;
import org.apache.spark.broadcast.Broadcast;
import org.apache.spark.util.SerializableConfiguration;
import org.sparkqlora.spark.cluster.ClusterSettings;
import org.sparkqlora.spark.cluster.HadoopJobs;
import org.sparkqlora.spark.cluster.ModelTasks;
import org.sparkqlora.spark.cluster.ProcessFacts;
import org.sparkqlora.spark.cluster.TaskGpus;
import org.sparkqlora.spark.cluster.TaskSlots;
import org.sparkqlora.spark.exchange.ExchangeChoice;
import org.sparkqlora.storage.StorePath;
import org.sparkqlora.tensor.DeviceChoice;
import org.sparkqlora.train.ModelSource;

/** Finds out in seconds what would make a run fail in an hour, all of it at once. Driver only. */
public final class ClusterCheck {
    private final JavaSparkContext context;
    private final ClusterSettings settings;

    public ClusterCheck(JavaSparkContext context) {
        this.context = context;
        this.settings = new ClusterSettings(context.getConf());
    }

    /** The problems of the cluster for a run with this exchange. */
    public CheckReport report(ClusterNeeds needs, ExchangeChoice exchange) {
        int slots = TaskSlots.available(context);
        List<String> problems = new ArrayList<>(SettingsCheck.problems(settings, exchange));
        List<String> advice = new ArrayList<>(SettingsCheck.advice(settings, needs.use(slots)));
        ProcessFacts driver = ProcessFacts.ofThisProcess("driver", List.of());
        List<ProcessFacts> executors = executors(needs, slots);
        ProcessCheck check = new ProcessCheck(needs.memory(), settings);
        problems.addAll(check.problems(driver, executors));
        advice.addAll(check.advice(driver, executors));
        return new CheckReport(problems, advice);
    }

    /**
     * Bytes that an executor may take: what the cluster's manager allows; in local mode half of this machine, whose other half is for
     * others; nothing where the driver cannot know, as it does not know the memory of a GPU.
     */
    public OptionalLong roomOfExecutor(DeviceChoice device) {
        return settings.roomOfExecutor(device, ProcessFacts.machineBytesHere());
    }

    /** Whether tasks compute on GPUs. */
    public boolean onGpus(DeviceChoice device) {
        return settings.onGpus(device);
    }

    /** One of each process. */
    private List<ProcessFacts> executors(ClusterNeeds needs, int slots) {
        try (HadoopJobs jobs = HadoopJobs.begin(context, "check: %d slots", slots)) {
            List<Integer> numbers = IntStream.range(0, slots).boxed().toList();
            ExecutorCheck check = new ExecutorCheck(needs.model(), needs.folders(), jobs.hadoop());
            Map<String, ProcessFacts> byName = new LinkedHashMap<>();
            ModelTasks.of(context.getConf())
                    .place(context.parallelize(numbers, slots))
                    .map(check)
                    .collect()
                    .forEach(facts -> byName.put(facts.name(), facts));
            return byName.values().stream()
                    .sorted(Comparator.comparing(ProcessFacts::name))
                    .toList();
        }
    }

    /**
     * Checks an executor's resources, and the folders that it must reach. Runs in a task.
     *
     * @param folders that the driver sees
     */
    private record ExecutorCheck(
            ModelSource model, List<String> folders, Broadcast<SerializableConfiguration> configuration)
            implements Function<Integer, ProcessFacts> {
        @Override
        public ProcessFacts call(Integer slot) {
            List<String> missing = new ArrayList<>();
            model.problem(TaskGpus.addresses()).ifPresent(missing::add);
            folders.forEach(folder -> checkFolder(folder, missing));
            SparkEnv env = SparkEnv.get();
            String name = "executor %s on %s"
                    .formatted(
                            env.executorId(),
                            env.blockManager().blockManagerId().host());
            return ProcessFacts.ofThisProcess(name, missing);
        }

        private void checkFolder(String folder, List<String> missing) {
            Path path = new Path(folder);
            try {
                if (!StorePath.files(path, configuration.value().value()).exists(path)) {
                    missing.add(
                            "Cannot see %s: expected the folder that the driver sees. Take one on a file system that all share."
                                    .formatted(folder));
                }
            } catch (IOException e) {
                missing.add("Cannot reach %s: %s".formatted(folder, e.getMessage()));
            }
        }
    }
}
