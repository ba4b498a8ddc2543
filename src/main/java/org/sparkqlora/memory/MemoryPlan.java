package org.sparkqlora.memory;

import java.util.Collections;
import java.util.EnumMap;
import java.util.EnumSet;
import java.util.Map;
import java.util.Set;
import java.util.function.Predicate;
import java.util.stream.IntStream;
import org.sparkqlora.model.BaseMemoryLimit;
import org.sparkqlora.model.layout.Method;
import org.sparkqlora.model.layout.ModelSpec;
import org.sparkqlora.model.layout.Parameter;
import org.sparkqlora.model.layout.ParameterIndex;
import org.sparkqlora.optim.OptimizerSpec;
import org.sparkqlora.optim.Optimizers;
import org.sparkqlora.optim.PagePlace;
import org.sparkqlora.optim.Paging;
import org.sparkqlora.train.BatchShape;
import org.sparkqlora.weights.family.ModelConfig;

/**
 * The memory of training by use, in bytes, estimated from shapes alone.
 *
 * <p>Of n weights, of which p train, on an executor with t tasks at once, of which each has l passes at once, no more than its threads and
 * its micro-batches:
 *
 * <pre>
 * weights      full 4 n    lora a n    qlora n / 2 + a (embeddings and head)      a bytes of an activation
 * constants    qlora n (8 + 32 / 256) / (8 x 64), or 32 n / (8 x 64) without double quantisation
 * what trains  4 p (for full these are the weights), and a p as products use it
 * gradients    4 p t, and 4 p t l where l is more than one, or 4 p t (l - 1) where there are no more micro-batches than l
 * optimiser    AdamW 8 p in 32 bits, (2 + 8 / 256) p in 8
 * activations, workspace and loss: t l times {@link PassMemory}
 * slack        a ninth of what lives in Java's heap, and 0.4 of the activations, workspace and loss at their peak
 * driver       4 p, optimiser unless only executors have it, and of gradients 4 p (shards) where tasks run in it; else what the exchange sends it
 * </pre>
 *
 * Memory is resident memory: what the process has touched, pages of mapped model files and libraries included.
 *
 * An optimiser that pages holds its buffers, at most its window. Where it pages to a file, so does its state, and weights and
 * gradients that train and are larger than the window: they count as {@link #fileBytes()}, not as memory. Gradients that
 * are sent to a driver go through memory.
 *
 * Spark's blocks of broadcasts are not counted: they go to disk when memory is short. On several executors the exchange of gradients is counted as
 * {@link ExchangeMemory}, in float32 whatever they are sent in.
 *
 * @param spec of the planned training
 * @param executorUses of one executor
 * @param inFile which of them lie in scratch files
 * @param driver its heap
 * @param executors their number
 */
public record MemoryPlan(
        ModelSpec spec, Map<MemoryUse, Long> executorUses, Set<MemoryUse> inFile, DriverMemory driver, int executors) {
    /**
     * Resident memory of a JVM with Spark and libtorch apart from what is counted: libraries, classes, compiled code and kernels, a
     * tokenizer, and the young generation. Measured on runs of a model of 135M parameters, with the settings of
     * {@code spark-conf/local.conf}.
     */
    private static final long PROCESS_BYTES = 612_000_000;

    /** Of what a pass holds at its peak, the share that malloc takes on top; 0.3 to 0.8 as measured, least where rows are many or long. */
    private static final double MALLOC_SHARE = 0.4;

    /** What is left of it where large blocks go back to the system at once. */
    private static final double SHARE_OF_HOLES = 0.5;

    /** The heap grows when less than a tenth of it is free: {@code -XX:MinHeapFreeRatio=10}. */
    private static final int LIVE_OF_A_FREE_BYTE = 9;

    public MemoryPlan {
        executorUses = Collections.unmodifiableMap(new EnumMap<>(executorUses));
        inFile = Set.copyOf(inFile);
    }

    /** With the pages of a paged optimiser in memory, and tasks that leave their gradients in the driver's process. */
    public static MemoryPlan of(ModelConfig config, ModelSpec spec, OptimizerSpec optimizer, BatchShape step) {
        return of(config, spec, optimizer, Paging.DEFAULT, step);
    }

    public static MemoryPlan of(
            ModelConfig config, ModelSpec spec, OptimizerSpec optimizer, Paging paging, BatchShape step) {
        return new Estimate(config, spec, optimizer, paging, step).plan();
    }

    /** This plan with a driver that has {@code bytes} of gradients at once. */
    public MemoryPlan withDriverGradients(long bytes) {
        return new MemoryPlan(spec, executorUses, inFile, driver.withGradients(bytes), executors);
    }

    /** This plan with a driver that never has optimiser state: executors have it, and make the first one by themselves. */
    public MemoryPlan withoutDriverOptimizer() {
        return new MemoryPlan(spec, executorUses, inFile, driver.withoutOptimizer(), executors);
    }

    /**
     * This plan with a frozen base of which no more is resident than {@code base} says: passes of a task then share the weights of a layer
     * in use. One that is quantised may be kept dequantised beside its codes.
     */
    public MemoryPlan withBase(BaseMemoryLimit base, ModelConfig config, BatchShape step) {
        if (base.dequantized() && method() == Method.QLORA) {
            Map<MemoryUse, Long> wide = new EnumMap<>(executorUses);
            wide.put(MemoryUse.DEQUANTIZED, BaseMemoryLimit.dequantizedBytes(config, spec));
            return new MemoryPlan(spec, wide, inFile, driver, executors);
        }

        if (baseBytes() <= base.bytes()) {
            return this;
        }

        int sharing = spec.trainsAdaptersAlone() ? step.parallelPasses() : 1;
        Map<MemoryUse, Long> bounded = new EnumMap<>(executorUses);
        bounded.put(MemoryUse.WEIGHTS, base.bytes());
        bounded.remove(MemoryUse.QUANTIZATION_CONSTANTS);
        bounded.put(MemoryUse.WORKSPACE, bytes(MemoryUse.WORKSPACE) / sharing);
        bounded.put(MemoryUse.MALLOC_SLACK, Math.round(bytes(MemoryUse.MALLOC_SLACK) * SHARE_OF_HOLES));
        return new MemoryPlan(spec, bounded, inFile, driver, executors);
    }

    /**
     * This plan where executors shard the optimiser's state: each has its part, with the parameters that it moves, and those of the
     * State that an update makes.
     */
    public MemoryPlan withShardedOptimizer() {
        MemoryUse kept = executorUses.containsKey(MemoryUse.OPTIMIZER_PAGED)
                ? MemoryUse.OPTIMIZER_PAGED
                : MemoryUse.OPTIMIZER_RESIDENT;
        long state = bytes(kept) + bytes(method() == Method.FULL ? MemoryUse.WEIGHTS : MemoryUse.ADAPTER);
        Map<MemoryUse, Long> sharded = new EnumMap<>(executorUses);
        sharded.remove(kept);
        sharded.put(MemoryUse.SHARDED_STATE, 2 * state * Math.min(ExchangeMemory.OWNERS, executors) / executors);
        Set<MemoryUse> files = EnumSet.of(MemoryUse.SHARDED_STATE);
        files.addAll(inFile);
        files.remove(inFile.contains(kept) ? kept : MemoryUse.SHARDED_STATE);
        sharded.remove(MemoryUse.HEAP_SLACK);
        long heap = new MemoryPlan(spec, sharded, files, driver, executors).heapBytes();
        sharded.put(MemoryUse.HEAP_SLACK, heap / LIVE_OF_A_FREE_BYTE);
        return new MemoryPlan(spec, sharded, files, driver, executors);
    }

    /** Whether executors shard the optimiser's state. */
    public boolean shardsOptimizer() {
        return executorUses.containsKey(MemoryUse.SHARDED_STATE);
    }

    /** The frozen base with its scales; none where all weights train. */
    public long baseBytes() {
        return method() == Method.FULL ? 0 : bytes(MemoryUse.WEIGHTS) + bytes(MemoryUse.QUANTIZATION_CONSTANTS);
    }

    public Method method() {
        return spec.method();
    }

    /** Bytes of one use on one executor. */
    public long bytes(MemoryUse use) {
        return executorUses.getOrDefault(use, 0L);
    }

    /** One executor at its peak. The loss and the recomputing of a layer follow each other, so that the larger counts. */
    public long executorBytes() {
        return sum(use -> !inFile.contains(use)) - spared();
    }

    /** Scratch files of one executor. */
    public long fileBytes() {
        return sum(inFile::contains);
    }

    /** Of an executor's memory what it leaves for others: parts of gradients and of sums, and its parts of a sharded State. */
    public long blockBytes() {
        return bytes(MemoryUse.EXCHANGE)
                + (inFile.contains(MemoryUse.SHARDED_STATE) ? 0 : bytes(MemoryUse.SHARDED_STATE));
    }

    /** The part of an executor's memory that must fit in Java's heap; the rest is native. */
    public long heapBytes() {
        return sum(use -> home(use) == MemoryUse.Home.HEAP && !inFile.contains(use));
    }

    /** Weights, gradients and optimiser state: the usual figure for the memory of full fine-tuning. */
    public long stateBytes() {
        return bytes(MemoryUse.WEIGHTS)
                + bytes(MemoryUse.GRADIENTS)
                + bytes(MemoryUse.OPTIMIZER_RESIDENT)
                + bytes(MemoryUse.OPTIMIZER_PAGED);
    }

    /** The driver's heap. */
    public long driverBytes() {
        return driver.bytes();
    }

    /** All executors and the driver. */
    public long totalBytes() {
        return executors * executorBytes() + driverBytes();
    }

    /** Weights that train are a flat vector in Java's heap, as are scales without double quantisation. */
    private MemoryUse.Home home(MemoryUse use) {
        boolean inHeap = use == MemoryUse.WEIGHTS && method() == Method.FULL
                || use == MemoryUse.QUANTIZATION_CONSTANTS && !spec.quant().doubleQuant();
        return inHeap ? MemoryUse.Home.HEAP : use.home();
    }

    private long sum(Predicate<MemoryUse> counts) {
        return executorUses.entrySet().stream()
                .filter(use -> counts.test(use.getKey()))
                .mapToLong(Map.Entry::getValue)
                .sum();
    }

    private long spared() {
        return Math.min(bytes(MemoryUse.LOSS), bytes(MemoryUse.LAYER_RECOMPUTE));
    }

    /**
     * The heap of a driver, but for what lies in files.
     *
     * @param weightBytes of weights that train; where only executors have the State, those that the driver publishes
     * @param optimizerBytes of optimiser state; where only executors have the State, none, unless the driver makes the first one
     * @param gradientBytes of the gradients of a step
     */
    public record DriverMemory(long weightBytes, long optimizerBytes, long gradientBytes) {
        public long bytes() {
            return stateBytes() + gradientBytes;
        }

        /** The State, or the driver's part of it. */
        public long stateBytes() {
            return weightBytes + optimizerBytes;
        }

        private DriverMemory withGradients(long bytes) {
            return new DriverMemory(weightBytes, optimizerBytes, bytes);
        }

        private DriverMemory withoutOptimizer() {
            return new DriverMemory(weightBytes, 0, gradientBytes);
        }
    }

    /** The arithmetic of one method. */
    private static final class Estimate {
        private final ModelSpec spec;
        private final BatchShape step;
        private final OptimizerSpec optimizer;
        private final Paging paging;
        private final WeightMemory weights;
        private final PassMemory pass;
        private final long[] trained;
        private final long parameters;
        private final long expertAdapters;
        private final Map<MemoryUse, Long> uses = new EnumMap<>(MemoryUse.class);

        private Estimate(ModelConfig config, ModelSpec spec, OptimizerSpec optimizer, Paging paging, BatchShape step) {
            this.spec = spec;
            this.step = step;
            this.optimizer = optimizer;
            this.paging = paging;
            this.weights = new WeightMemory(config, spec.precision());
            this.pass = new PassMemory(config, spec.method(), spec.precision(), step);
            ParameterIndex index = ParameterIndex.of(config, spec);
            this.trained = index.all().stream().mapToLong(Parameter::size).toArray();
            this.parameters = index.size();
            this.expertAdapters = ofExperts(config, index);
        }

        /** Adapters of one layer's experts, put in order for single experts, and their gradients in float32. */
        private long ofExperts(ModelConfig config, ParameterIndex index) {
            long mixtures = IntStream.range(0, config.layers())
                    .filter(config::isMixture)
                    .count();
            long numbers = index.all().stream()
                    .filter(parameter -> parameter.name().contains(".mlp.experts."))
                    .mapToLong(Parameter::size)
                    .sum();
            return spec.method() == Method.FULL || mixtures == 0
                    ? 0
                    : numbers / mixtures * (Float.BYTES + WeightMemory.bytesOf(spec.precision()));
        }

        private MemoryPlan plan() {
            addWeights();
            addTraining();
            addPasses();
            uses.put(MemoryUse.PROCESS, PROCESS_BYTES);
            addSlack();
            return planned();
        }

        private MemoryPlan planned() {
            return new MemoryPlan(spec, uses, inFile(), driver(), step.executors());
        }

        private Set<MemoryUse> inFile() {
            Set<MemoryUse> inFile = EnumSet.noneOf(MemoryUse.class);
            if (pagesToFile()) {
                inFile.add(MemoryUse.OPTIMIZER_PAGED);
            }

            if (vectorsInFile()) {
                inFile.add(spec.method() == Method.FULL ? MemoryUse.WEIGHTS : MemoryUse.ADAPTER);
            }

            if (vectorsInFile() && step.executors() == 1) {
                inFile.add(MemoryUse.GRADIENTS);
            }

            return inFile;
        }

        private boolean pagesToFile() {
            return optimizer.kind().paged() && paging.place() == PagePlace.FILE;
        }

        private boolean vectorsInFile() {
            return pagesToFile() && Float.BYTES * parameters > paging.windowBytes();
        }

        private DriverMemory driver() {
            long vector = vectorsInFile() ? 0 : Float.BYTES * parameters;
            long state = pagesToFile() ? buffers() : Optimizers.stateBytes(optimizer, trained);
            long gradients = inFile().contains(MemoryUse.GRADIENTS) ? 0 : Float.BYTES * parameters * step.shards();
            return new DriverMemory(vector, state, gradients);
        }

        private long buffers() {
            return Optimizers.bufferBytes(optimizer, trained, paging, step.tasksAtOnce());
        }

        private long passes() {
            return (long) step.tasksAtOnce() * parallelPasses();
        }

        private int parallelPasses() {
            return spec.trainsAdaptersAlone() ? step.parallelPasses() : 1;
        }

        private void addWeights() {
            switch (spec.method()) {
                case FULL -> {
                    uses.put(MemoryUse.WEIGHTS, Float.BYTES * parameters);
                    uses.put(MemoryUse.WORKSPACE, passes() * weights.oneExpert());
                }
                case LORA -> {
                    uses.put(MemoryUse.WEIGHTS, weights.dense());
                    uses.put(MemoryUse.WORKSPACE, passes() * weights.oneLayer());
                }
                case QLORA -> {
                    uses.put(MemoryUse.WEIGHTS, weights.fourBit());
                    uses.put(MemoryUse.QUANTIZATION_CONSTANTS, weights.scales(spec.quant()));
                    uses.put(MemoryUse.WORKSPACE, passes() * weights.oneLayer());
                }
            }
        }

        private void addTraining() {
            if (spec.method() != Method.FULL) {
                uses.put(MemoryUse.ADAPTER, Float.BYTES * parameters);
            }

            uses.put(MemoryUse.BOUND_COPY, WeightMemory.bytesOf(spec.precision()) * parameters);
            int gradients = spec.trainsAdaptersAlone() ? step.gradients() : 1;
            uses.put(MemoryUse.GRADIENTS, Float.BYTES * parameters * step.tasksAtOnce() * gradients);
            if (step.executors() > 1) {
                ExchangeMemory exchange =
                        new ExchangeMemory(Float.BYTES * parameters, step.tasksAtOnce(), step.executors());
                uses.put(MemoryUse.EXCHANGE, exchange.bytes());
            }

            long state = Optimizers.stateBytes(optimizer, trained);
            if (optimizer.kind().paged()) {
                uses.put(MemoryUse.OPTIMIZER_RESIDENT, buffers());
                uses.put(MemoryUse.OPTIMIZER_PAGED, state);
            } else {
                uses.put(MemoryUse.OPTIMIZER_RESIDENT, state);
            }
        }

        private void addPasses() {
            uses.put(MemoryUse.LAYER_INPUTS, passes() * pass.kept());
            uses.put(MemoryUse.LAYER_RECOMPUTE, passes() * (pass.layerRecompute() + expertAdapters));
            uses.put(MemoryUse.LOSS, passes() * pass.loss());
        }

        private void addSlack() {
            long peak = pass.kept() + Math.max(pass.layerRecompute() + expertAdapters, pass.loss());
            uses.put(MemoryUse.MALLOC_SLACK, Math.round(MALLOC_SHARE * passes() * peak));
            uses.put(MemoryUse.HEAP_SLACK, planned().heapBytes() / LIVE_OF_A_FREE_BYTE);
        }
    }
}
