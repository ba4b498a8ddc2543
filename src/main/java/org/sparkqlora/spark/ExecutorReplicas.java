package org.sparkqlora.spark;

import java.util.HashMap;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.sparkqlora.train.GradientModel;
import org.sparkqlora.train.TrainState;

/**
 * The replicas of this process, one a run and GPU, or one a run without GPUs. A Spark task has no other way to find what an earlier task of its process left,
 * so this is static, as nothing else is but the tokenizers of {@link RecordEncoders}.
 */
final class ExecutorReplicas {
    /** A run that trains and one that evaluates beside it; older ones are over. */
    private static final int MOST_FOLLOWING = 2;

    private static final SharedResources<GradientModel> MODELS = new SharedResources<>(GradientModel::close);
    private static final Map<List<String>, Map<String, ExecutorReplica>> FOLLOWING = new HashMap<>();
    private static final Map<String, ExecutorReplica> ADOPTED = new HashMap<>();

    private ExecutorReplicas() {}

    /** The base models of this process. */
    static SharedResources<GradientModel> models() {
        return MODELS;
    }

    /** Runs in a task: the replica of its run, made by the first task that asks. */
    static synchronized ExecutorReplica of(RunDescription run) {
        ExecutorReplica adopted = ADOPTED.get(run.id());
        if (adopted != null) {
            return adopted;
        }

        List<String> gpus = TaskGpus.addresses();
        Map<String, ExecutorReplica> ofDevice =
                FOLLOWING.computeIfAbsent(gpus, any -> new LinkedHashMap<>(MOST_FOLLOWING, 0.75f, true));
        ExecutorReplica known = ofDevice.get(run.id());
        if (known != null) {
            return known;
        }

        makeRoom(ofDevice);
        ExecutorReplica made = ExecutorReplica.following(run, MODELS, gpus);
        ofDevice.put(run.id(), made);
        return made;
    }

    /** Driver only, where tasks run in the driver: they share its State. */
    static synchronized ExecutorReplica adopt(RunDescription run, TrainState state) {
        ExecutorReplica adopted = ExecutorReplica.of(run, MODELS, state);
        ADOPTED.put(run.id(), adopted);
        return adopted;
    }

    /** Driver only: the run is over. */
    static synchronized void release(String runId) {
        ExecutorReplica replica = ADOPTED.remove(runId);
        if (replica != null) {
            replica.close();
        }
    }

    /** Closes what was used longest ago; a late task of that run would make it anew from its snapshot. */
    private static void makeRoom(Map<String, ExecutorReplica> following) {
        for (Iterator<ExecutorReplica> oldest = following.values().iterator(); following.size() >= MOST_FOLLOWING; ) {
            ExecutorReplica replica = oldest.next();
            oldest.remove();
            replica.close();
        }
    }
}
