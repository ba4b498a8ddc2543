package org.sparkqlora.spark.job;

import java.util.Map;
import java.util.Set;
import org.sparkqlora.memory.MemoryPlan;
import org.sparkqlora.memory.MemoryUse;
import org.sparkqlora.model.layout.LoraSpec;
import org.sparkqlora.model.layout.Method;
import org.sparkqlora.model.layout.ModelSpec;
import org.sparkqlora.model.layout.Precision;
import org.sparkqlora.quant.QuantSpec;

/** Memory plans with round numbers. */
public final class MemoryPlans {
    public static final long GIB = 1L << 30;

    private MemoryPlans() {}

    /** Gradients in the heap, weights beside it, and pages in scratch files; the driver needs as much heap as an executor. */
    public static MemoryPlan of(long heapBytes, long nativeBytes, long fileBytes) {
        ModelSpec spec = new ModelSpec(Method.QLORA, Precision.BF16, QuantSpec.DEFAULT, LoraSpec.allLinear(4, 8));
        Map<MemoryUse, Long> uses = Map.of(
                MemoryUse.GRADIENTS, heapBytes, MemoryUse.WEIGHTS, nativeBytes, MemoryUse.OPTIMIZER_PAGED, fileBytes);
        return new MemoryPlan(
                spec, uses, Set.of(MemoryUse.OPTIMIZER_PAGED), new MemoryPlan.DriverMemory(heapBytes, 0, 0), 2);
    }
}
