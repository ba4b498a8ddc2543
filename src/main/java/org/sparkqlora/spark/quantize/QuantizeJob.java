package org.sparkqlora.spark.quantize;

import java.io.Serializable;
import java.util.List;
import org.apache.hadoop.fs.Path;
import org.apache.spark.api.java.JavaSparkContext;
import org.jspecify.annotations.Nullable;
import org.sparkqlora.checkpoint.QuantizedPart;
import org.sparkqlora.checkpoint.hub.ModelPlace;
import org.sparkqlora.input.BadInputException;
import org.sparkqlora.quant.QuantSpec;
import org.sparkqlora.spark.cluster.HadoopJobs;
import org.sparkqlora.spark.cluster.TaskSlots;
import org.sparkqlora.storage.ModelCache;
import org.sparkqlora.weights.FourBitPlan;

/** Writes the files of a model in four bits, one a task. Driver only. */
public record QuantizeJob(JavaSparkContext context, ModelPlace model, ModelCache cache, QuantSpec spec) {
    /** The parts of {@code plan}, in order, all of which are in {@code folder} then. */
    public List<QuantizedPart.Stored> run(FourBitPlan plan, Path folder) {
        int parts = plan.parts().size();
        try (HadoopJobs jobs = HadoopJobs.begin(context, "quantize: write %d files of weights", parts)) {
            QuantizeTask task = new QuantizeTask(
                    model, cache, spec, folder.toString(), jobs.hadoop(), TaskSlots.threadsOfTask(context));
            return context.parallelize(plan.parts(), parts).map(task).collect().stream()
                    .map(PartOutcome::require)
                    .toList();
        }
    }

    /**
     * The end of a task.
     *
     * @param part that is there now; null if it cannot be
     * @param problem the reason; null if there is none
     */
    public record PartOutcome(
            QuantizedPart.@Nullable Stored part, @Nullable String problem) implements Serializable {
        QuantizedPart.Stored require() {
            if (part == null) {
                throw new BadInputException(String.valueOf(problem));
            }

            return part;
        }
    }
}
