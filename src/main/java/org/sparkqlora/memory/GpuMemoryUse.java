package org.sparkqlora.memory;

import org.sparkqlora.input.OptionChoice;

/** The uses of a GPU's memory, and of the host memory that CUDA needs. */
public enum GpuMemoryUse implements OptionChoice {
    /** The CUDA context of a process: kernels of libtorch, stacks, and the like. */
    CONTEXT("CUDA's context", Place.CARD),
    /** Workspaces of cuBLAS. */
    LIBRARIES("cuBLAS", Place.CARD),
    /** The frozen base model. */
    WEIGHTS("weights", Place.CARD),
    /** Scales of the 4-bit blocks. */
    QUANTIZATION_CONSTANTS("quantisation constants", Place.CARD),
    /** All that trains, in the number format of products; the float32 values stay with the host. */
    BOUND_COPY("copy of what trains, as used", Place.CARD),
    /** Two pages of optimiser state, with their parameters and gradients. */
    OPTIMIZER_WINDOW("optimiser window", Place.CARD),
    /** Room for the dequantised weights of one layer. */
    WORKSPACE("dequantised weights of a layer", Place.CARD),
    /** One input a layer, the gradient of each, and activations that are not recomputed. */
    LAYER_INPUTS("activations, kept of all layers", Place.CARD),
    /** One layer while its gradient is computed. */
    LAYER("activations, one layer", Place.CARD),
    /** Logits of a chunk of tokens. Done with when the first layer's gradient is computed. */
    LOSS("loss", Place.CARD),
    /** Memory that libtorch's allocator holds and does not use. */
    ALLOCATOR_SLACK("freed memory that libtorch keeps", Place.CARD),
    /** Pinned host memory of the optimiser window's size. */
    PINNED_PAGES("pinned pages", Place.HOST),
    /** Weights of which few rows are read, where their file is mapped. */
    MAPPED_ROWS("rows of mapped files", Place.HOST),
    /** Host memory of CUDA's libraries. */
    HOST_CONTEXT("CUDA's libraries", Place.HOST);

    /** The memory that a use counts against. */
    public enum Place {
        CARD,
        /** Beside Java's heap: {@code spark.executor.memoryOverhead}. */
        HOST
    }

    private final String label;
    private final Place place;

    GpuMemoryUse(String label, Place place) {
        this.label = label;
        this.place = place;
    }

    /** For people. */
    public String label() {
        return label;
    }

    public Place place() {
        return place;
    }
}
