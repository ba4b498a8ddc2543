package org.sparkqlora.options;

import org.sparkqlora.input.OptionChoice;
import org.sparkqlora.memory.MemoryPlan;
import org.sparkqlora.model.layout.Method;

/** The values of {@code --zero-stage}: what executors that hold the State shard, by the stages of ZeRO (arXiv 1910.02054). */
public enum ZeroStage implements OptionChoice {
    AUTO("auto"),
    NOTHING("0"),
    OPTIMIZER("1");

    private final String optionName;

    ZeroStage(String optionName) {
        this.optionName = optionName;
    }

    public static ZeroStage parse(String name) {
        return OptionChoice.parse(values(), name, "Unsupported stage '%s': expected one of %s");
    }

    @Override
    public String optionName() {
        return optionName;
    }

    /** The memory of a run on executors that hold the State, of which {@code whole} is with all optimiser state in each. */
    public MemoryPlan of(MemoryPlan whole) {
        MemoryPlan sharded = whole.withShardedOptimizer();
        return switch (this) {
            case AUTO -> whole.method() == Method.FULL && bytes(sharded) < bytes(whole) ? sharded : whole;
            case NOTHING -> whole;
            case OPTIMIZER -> sharded;
        };
    }

    private static long bytes(MemoryPlan plan) {
        return plan.executorBytes() + plan.fileBytes();
    }
}
