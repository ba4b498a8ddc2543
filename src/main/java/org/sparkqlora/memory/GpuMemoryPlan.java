package org.sparkqlora.memory;

import java.util.Collections;
import java.util.EnumMap;
import java.util.Map;
import java.util.OptionalInt;
import java.util.function.Predicate;
import org.sparkqlora.model.BaseMemoryLimit;
import org.sparkqlora.model.layout.Method;
import org.sparkqlora.model.layout.ModelSpec;
import org.sparkqlora.model.layout.Parameter;
import org.sparkqlora.model.layout.ParameterIndex;
import org.sparkqlora.optim.OptimizerSpec;
import org.sparkqlora.optim.Optimizers;
import org.sparkqlora.optim.Paging;
import org.sparkqlora.train.BatchShape;
import org.sparkqlora.weights.family.ModelConfig;

/**
 * The memory of a GPU that one task trains on by use, in bytes, estimated from shapes alone. <b>Not measured on a GPU</b>: passes are
 * held to what the same operations take on the processor, and the rest are constants with a source.
 *
 * <p>Of n weights, of which p train; a bytes of an activation:
 *
 * <pre>
 * weights      lora a n    qlora n / 2 + a (embeddings and head)    full none beside what trains
 * constants    as in {@link MemoryPlan}
 * what trains  a p
 * window       two pages of state, parameters and gradients, within {@code --optimizer-window}; as much of the host's memory is pinned
 * workspace    a layer's weights, whatever the method: room is made once
 * activations  {@link GpuPassMemory}
 * slack        a tenth of activations and loss at their peak
 * </pre>
 *
 * The float32 values of what trains, gradients and optimiser state stay in the executor's memory, as {@link MemoryPlan} counts them.
 *
 * @param uses in bytes
 */
public record GpuMemoryPlan(Map<GpuMemoryUse, Long> uses) {
    /** Issues 20532 and 31767 of PyTorch tell of 300 to 440 MB; later builds have more kernels and load them when they are used. */
    private static final long CONTEXT_BYTES = 500_000_000;

    /**
     * 32 MiB is what NVIDIA recommends for Hopper and libtorch takes there (cuBLAS reference, cublasSetWorkspace; pull request 120925 of
     * PyTorch), for products of cuBLAS and again for those of cuBLASLt; 4 to 8 MiB on earlier cards.
     */
    private static final long LIBRARY_BYTES = 2 * (32L << 20);

    /** Issue 106511 of PyTorch: 1.15 to 1.2 GB of resident memory with the first use of CUDA. */
    private static final long HOST_CONTEXT_BYTES = 1_200_000_000;

    /** Blocks that grow in place leave few holes ({@code expandable_segments} in spark-conf); they are made of pages of 2 MiB. */
    private static final double SLACK_SHARE = 0.1;

    /** Of those that the card does not keep. */
    private static final int LAYERS_AT_ONCE = 2;

    /** Of a micro-batch that is searched for. */
    private static final int MOST_ROWS = 1 << 12;

    public GpuMemoryPlan {
        uses = Collections.unmodifiableMap(new EnumMap<>(uses));
    }

    /**
     * Estimates one GPU.
     *
     * @param step of which the rows of a micro-batch count, and their length
     */
    public static GpuMemoryPlan of(
            ModelConfig config, ModelSpec spec, OptimizerSpec optimizer, Paging paging, BatchShape step) {
        Map<GpuMemoryUse, Long> uses = new EnumMap<>(GpuMemoryUse.class);
        uses.put(GpuMemoryUse.CONTEXT, CONTEXT_BYTES);
        uses.put(GpuMemoryUse.LIBRARIES, LIBRARY_BYTES);
        uses.put(GpuMemoryUse.HOST_CONTEXT, HOST_CONTEXT_BYTES);
        addWeights(uses, config, spec);
        addTraining(uses, ParameterIndex.of(config, spec), spec, optimizer, paging);
        addPass(uses, new GpuPassMemory(config, spec.method(), spec.precision(), step));
        return new GpuMemoryPlan(uses);
    }

    /**
     * This plan with a frozen base of which the card keeps what {@code base} says, beside its embedding and head. Of the layers that are
     * copied to the card in 4 bits for each use two are there at once, the one that computes and the next; others are copied matrix by
     * matrix to where they are used.
     */
    public GpuMemoryPlan withBase(BaseMemoryLimit base, ModelConfig config, ModelSpec spec) {
        long layers = spec.method() == Method.FULL
                ? 0
                : BaseMemoryLimit.division(config, spec).layers();
        long kept = Math.max(0, base.bytes() - BaseMemoryLimit.smallest(config, spec, 1));
        if (layers <= kept) {
            return this;
        }

        long copied =
                spec.method() == Method.QLORA ? Math.min(layers - kept, LAYERS_AT_ONCE * layers / config.layers()) : 0;
        Map<GpuMemoryUse, Long> bounded = new EnumMap<>(uses);
        bounded.remove(GpuMemoryUse.QUANTIZATION_CONSTANTS);
        long whole = bytes(GpuMemoryUse.WEIGHTS) + bytes(GpuMemoryUse.QUANTIZATION_CONSTANTS);
        bounded.put(GpuMemoryUse.WEIGHTS, whole - layers + kept + copied);
        return new GpuMemoryPlan(bounded);
    }

    /** The most rows of a micro-batch that fit beside the rest of this plan on a GPU of {@code cardBytes}; empty if not even one does. */
    public OptionalInt largestMicroBatch(ModelConfig config, ModelSpec spec, BatchShape step, long cardBytes) {
        int fits = 0;
        int fitsNot = MOST_ROWS + 1;
        while (fitsNot - fits > 1) {
            int rows = (fits + fitsNot) / 2;
            BatchShape tried = new BatchShape(step.sequenceLength(), rows, rows, 1, 1, step.recompute(), 1);
            GpuPassMemory pass = new GpuPassMemory(config, spec.method(), spec.precision(), tried);
            if (withPass(pass).cardBytes() <= cardBytes) {
                fits = rows;
            } else {
                fitsNot = rows;
            }
        }

        return fits == 0 ? OptionalInt.empty() : OptionalInt.of(fits);
    }

    /** Only a pass depends on the rows of a micro-batch. */
    private GpuMemoryPlan withPass(GpuPassMemory pass) {
        Map<GpuMemoryUse, Long> changed = new EnumMap<>(uses);
        addPass(changed, pass);
        return new GpuMemoryPlan(changed);
    }

    /** Whether the model has such a use at all. */
    public boolean has(GpuMemoryUse use) {
        return uses.containsKey(use);
    }

    /** Bytes of one use. */
    public long bytes(GpuMemoryUse use) {
        return uses.getOrDefault(use, 0L);
    }

    /** The peak on the GPU. The loss and the gradient of a layer follow each other, so that the larger counts. */
    public long cardBytes() {
        return sum(use -> use.place() == GpuMemoryUse.Place.CARD)
                - Math.min(bytes(GpuMemoryUse.LOSS), bytes(GpuMemoryUse.LAYER));
    }

    /** Host memory that an executor needs for the GPU, beside its heap. */
    public long hostBytes() {
        return sum(use -> use.place() == GpuMemoryUse.Place.HOST);
    }

    private long sum(Predicate<GpuMemoryUse> counts) {
        return uses.entrySet().stream()
                .filter(use -> counts.test(use.getKey()))
                .mapToLong(Map.Entry::getValue)
                .sum();
    }

    private static void addWeights(Map<GpuMemoryUse, Long> uses, ModelConfig config, ModelSpec spec) {
        WeightMemory weights = new WeightMemory(config, spec.precision());
        uses.put(GpuMemoryUse.WORKSPACE, weights.oneLayer());
        if (spec.method() == Method.QLORA) {
            uses.put(GpuMemoryUse.QUANTIZATION_CONSTANTS, weights.scales(spec.quant()));
        }

        uses.put(
                GpuMemoryUse.WEIGHTS,
                switch (spec.method()) {
                    case FULL -> 0L;
                    case LORA -> weights.dense() - weights.mappedRows();
                    case QLORA -> weights.fourBit() - weights.mappedRows();
                });
        if (spec.method() != Method.FULL && weights.mappedRows() > 0) {
            uses.put(GpuMemoryUse.MAPPED_ROWS, weights.mappedRows());
        }
    }

    private static void addTraining(
            Map<GpuMemoryUse, Long> uses,
            ParameterIndex index,
            ModelSpec spec,
            OptimizerSpec optimizer,
            Paging paging) {
        long[] trained = index.all().stream().mapToLong(Parameter::size).toArray();
        long window = Optimizers.gpuWindowBytes(optimizer, trained, paging);
        uses.put(GpuMemoryUse.BOUND_COPY, WeightMemory.bytesOf(spec.precision()) * index.size());
        uses.put(GpuMemoryUse.OPTIMIZER_WINDOW, window);
        uses.put(GpuMemoryUse.PINNED_PAGES, window);
    }

    private static void addPass(Map<GpuMemoryUse, Long> uses, GpuPassMemory pass) {
        uses.put(GpuMemoryUse.LAYER_INPUTS, pass.kept());
        uses.put(GpuMemoryUse.LAYER, pass.layer());
        uses.put(GpuMemoryUse.LOSS, pass.loss());
        long peak = pass.kept() + Math.max(pass.layer(), pass.loss());
        uses.put(GpuMemoryUse.ALLOCATOR_SLACK, Math.round(SLACK_SHARE * peak));
    }
}
