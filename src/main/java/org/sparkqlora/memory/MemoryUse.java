package org.sparkqlora.memory;

import org.sparkqlora.input.OptionChoice;

/** The uses of an executor's memory. */
public enum MemoryUse implements OptionChoice {
    /** The base model: frozen, or, where all weights train, the float32 values that train. */
    WEIGHTS("weights", Home.NATIVE),
    /** Scales of the 4-bit blocks. */
    QUANTIZATION_CONSTANTS("quantisation constants", Home.NATIVE),
    /** The float32 values of adapters. */
    ADAPTER("adapter", Home.HEAP),
    /** All that trains once more, in the number format of products. */
    BOUND_COPY("copy of what trains, as used", Home.NATIVE),
    /** A float32 vector a task. */
    GRADIENTS("gradients", Home.HEAP),
    /** Parts of gradients and of their sums, on several executors. */
    EXCHANGE("exchange of gradients", Home.NATIVE),
    /** The executor's parts of the State, and those of the next one in the making, where executors shard it. */
    SHARDED_STATE("shards of the State", Home.NATIVE),
    /** Optimiser state that must stay where the update is computed; of a paged optimiser, the page in work. */
    OPTIMIZER_RESIDENT("optimiser state, resident", Home.HEAP),
    /** Optimiser state in pages, in the host's memory. */
    OPTIMIZER_PAGED("optimiser state, paged", Home.HEAP),
    /** One input a layer, the gradient of each, and activations that are not recomputed. */
    LAYER_INPUTS("activations, kept of all layers", Home.NATIVE),
    /** One layer while its gradient is computed, attention probabilities included. */
    LAYER_RECOMPUTE("activations, one layer", Home.NATIVE),
    /** The weights of one layer in full width, beside their adapters in the matrices that products take. */
    WORKSPACE("weights of a layer in use", Home.NATIVE),
    /** All layers dequantised, where they are kept so. */
    DEQUANTIZED("base dequantised", Home.NATIVE),
    /** Logits of a chunk of tokens. Done with when the first layer is recomputed. */
    LOSS("loss", Home.NATIVE),
    /** Heap beyond live objects, which the garbage collector needs for new ones. */
    HEAP_SLACK("heap that is free or not yet collected", Home.HEAP),
    /** Memory that passes freed and malloc keeps, in pieces between blocks in use. */
    MALLOC_SLACK("freed memory that malloc keeps", Home.NATIVE),
    /** Memory of a process before it holds a model. */
    PROCESS("JVM, Spark and libtorch", Home.NATIVE);

    /** Which of Spark's two settings bounds it. */
    public enum Home {
        /** {@code spark.executor.memory}. */
        HEAP,
        /** {@code spark.executor.memoryOverhead}. */
        NATIVE
    }

    private final String label;
    private final Home home;

    MemoryUse(String label, Home home) {
        this.label = label;
        this.home = home;
    }

    /** For people. */
    public String label() {
        return label;
    }

    /** Heap or native, unless {@link MemoryPlan} knows better. */
    Home home() {
        return home;
    }
}
