package org.sparkqlora.spark.replica;

import java.util.HashMap;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.sparkqlora.spark.cluster.SharedResources;
import org.sparkqlora.spark.cluster.TaskGpus;
import org.sparkqlora.train.GradientModel;
import org.sparkqlora.train.TrainState;

/**
 * The replicas of this process, one a run and GPU, or one a run without GPUs. A Spark task has no other way to find what an earlier task of its process left,
 * so this is static, as nothing else is but the tokenizers of {@link org.sparkqlora.spark.prepare.RecordEncoders}.
 */
public final class ProcessReplicas {
    /** A run that trains and one that evaluates beside it; older ones are over. */
    private static final int MOST_FOLLOWING = 2;

    private static final SharedResources<GradientModel> MODELS = new SharedResources<>(GradientModel::close);
    private static final Map<List<String>, Map<String, ProcessReplica>> FOLLOWING = new HashMap<>();
    private static final Map<String, ProcessReplica> ADOPTED = new HashMap<>();

    private ProcessReplicas() {}

    /** The base models of this process. */
    static SharedResources<GradientModel> models() {
        return MODELS;
    }

    /** Runs in a task: the replica of its run, made by the first task that asks. */
    public static synchronized ProcessReplica of(RunHandle run) {
        ProcessReplica adopted = ADOPTED.get(run.id());
        if (adopted != null) {
            return adopted;
        }

        List<String> gpus = TaskGpus.addresses();
        Map<String, ProcessReplica> ofDevice =
                FOLLOWING.computeIfAbsent(gpus, any -> new LinkedHashMap<>(MOST_FOLLOWING, 0.75f, true));
        ProcessReplica known = ofDevice.get(run.id());
        if (known != null) {
            return known;
        }

        makeRoom(ofDevice);
        ProcessReplica made = ProcessReplica.following(run, MODELS, gpus);
        ofDevice.put(run.id(), made);
        return made;
    }

    /** Driver only, where tasks run in the driver: they share its State. */
    static synchronized ProcessReplica adopt(RunHandle run, TrainState state) {
        ProcessReplica adopted = ProcessReplica.of(run, MODELS, state);
        ADOPTED.put(run.id(), adopted);
        return adopted;
    }

    /** Driver only: the run is over. */
    static synchronized void release(String runId) {
        ProcessReplica replica = ADOPTED.remove(runId);
        if (replica != null) {
            replica.close();
        }
    }

    /** Closes the least recently used replica; a late task of that run would recreate it from its snapshot. */
    private static void makeRoom(Map<String, ProcessReplica> following) {
        for (Iterator<ProcessReplica> oldest = following.values().iterator(); following.size() >= MOST_FOLLOWING; ) {
            ProcessReplica replica = oldest.next();
            oldest.remove();
            replica.close();
        }
    }
}
