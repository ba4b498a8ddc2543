package org.sparkqlora.memory;

import java.util.List;
import java.util.function.UnaryOperator;
import org.sparkqlora.model.layout.Method;
import org.sparkqlora.model.layout.ModelSpec;
import org.sparkqlora.model.layout.Precision;
import org.sparkqlora.optim.OptimizerKind;
import org.sparkqlora.optim.OptimizerSpec;
import org.sparkqlora.optim.Paging;
import org.sparkqlora.train.BatchShape;
import org.sparkqlora.weights.family.ModelConfig;

/** The memory estimates of the three methods side by side. */
public record MemoryComparison(MemoryPlan full, MemoryPlan lora, MemoryPlan qlora) {
    private static final OptimizerSpec ADAMW = new OptimizerSpec(OptimizerKind.ADAMW, 0.9, 0.999, 1e-8, 0);

    /**
     * Plans all three.
     *
     * @param spec precision, 4-bit code and adapters; its method is not looked at
     */
    public static MemoryComparison of(
            ModelConfig config, ModelSpec spec, OptimizerSpec optimizer, Paging paging, BatchShape step) {
        return new MemoryComparison(
                MemoryPlan.of(config, as(Method.FULL, spec), optimizer, paging, step),
                MemoryPlan.of(config, as(Method.LORA, spec), optimizer, paging, step),
                MemoryPlan.of(config, as(Method.QLORA, spec), optimizer, paging, step));
    }

    /**
     * The figures that articles compare: full fine-tuning in float32 with AdamW, by its {@link MemoryPlan#stateBytes()}; LoRA over a
     * 16-bit base and QLoRA with 16-bit activations, by all that an executor needs.
     */
    public static MemoryComparison asUsuallyTold(
            ModelConfig config, ModelSpec spec, OptimizerSpec optimizer, BatchShape step) {
        MemoryComparison sixteenBits = of(config, in(Precision.BF16, spec), optimizer, Paging.DEFAULT, step);
        ModelSpec full = as(Method.FULL, in(Precision.FP32, spec));
        return new MemoryComparison(MemoryPlan.of(config, full, ADAMW, step), sixteenBits.lora(), sixteenBits.qlora());
    }

    /** Each plan as {@code change} makes it. */
    public MemoryComparison map(UnaryOperator<MemoryPlan> change) {
        return new MemoryComparison(change.apply(full), change.apply(lora), change.apply(qlora));
    }

    public List<MemoryPlan> all() {
        return List.of(full, lora, qlora);
    }

    private static ModelSpec as(Method method, ModelSpec spec) {
        return new ModelSpec(
                method, spec.precision(), spec.quant(), method == Method.FULL ? null : spec.lora(), spec.noise());
    }

    private static ModelSpec in(Precision precision, ModelSpec spec) {
        return new ModelSpec(spec.method(), precision, spec.quant(), spec.lora(), spec.noise());
    }
}
