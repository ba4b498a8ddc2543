package org.sparkqlora.memory;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.sparkqlora.model.BaseMemoryLimit;
import org.sparkqlora.model.Recompute;
import org.sparkqlora.model.layout.LoraSpec;
import org.sparkqlora.model.layout.Method;
import org.sparkqlora.model.layout.ModelSpec;
import org.sparkqlora.model.layout.Parameter;
import org.sparkqlora.model.layout.ParameterIndex;
import org.sparkqlora.model.layout.Precision;
import org.sparkqlora.model.layout.SavedModule;
import org.sparkqlora.model.layout.SavedModules;
import org.sparkqlora.optim.Optimizer;
import org.sparkqlora.optim.OptimizerKind;
import org.sparkqlora.optim.OptimizerSpec;
import org.sparkqlora.optim.Optimizers;
import org.sparkqlora.optim.PagePlace;
import org.sparkqlora.optim.Paging;
import org.sparkqlora.quant.FloatSource;
import org.sparkqlora.quant.FourBitCode;
import org.sparkqlora.quant.FourBitQuantizer;
import org.sparkqlora.quant.FourBitTensor;
import org.sparkqlora.quant.QuantSpec;
import org.sparkqlora.quant.Workers;
import org.sparkqlora.train.BatchShape;
import org.sparkqlora.weights.family.DecoderTensors;
import org.sparkqlora.weights.family.LlamaSizes;
import org.sparkqlora.weights.family.ModelConfig;

class MemoryPlanTest {
    private static final double GIGA = 1e9;
    private static final BatchShape STEP = new BatchShape(1024, 16, 1, 1, 1);
    private static final QuantSpec PLAIN_SCALES = new QuantSpec(FourBitCode.NF4, 64, false);

    @Test
    void fullFineTuningOf13BInFloat32TakesWhatTheArticleSays() {
        MemoryPlan plan =
                MemoryPlan.of(LlamaSizes.of(13e9), full(Precision.FP32), optimizer(OptimizerKind.ADAMW), STEP);

        assertThat(wholeGigabytes(plan.bytes(MemoryUse.WEIGHTS))).isEqualTo(52);
        assertThat(wholeGigabytes(plan.bytes(MemoryUse.GRADIENTS))).isEqualTo(52);
        assertThat(wholeGigabytes(plan.bytes(MemoryUse.OPTIMIZER_RESIDENT))).isEqualTo(104);
        assertThat(wholeGigabytes(plan.stateBytes())).isEqualTo(208);
    }

    @ParameterizedTest(name = "rows of {0} tokens")
    @ValueSource(ints = {1024, 2048})
    void loraAndQloraOf13BLieInTheArticlesRanges(int sequenceLength) {
        BatchShape step = new BatchShape(sequenceLength, 16, 1, 1, 1);
        MemoryComparison usual = MemoryComparison.asUsuallyTold(
                LlamaSizes.of(13e9), qlora(Precision.FP32, 16), optimizer(OptimizerKind.PAGED_ADAMW_8BIT), step);

        assertThat(wholeGigabytes(usual.full().stateBytes())).isEqualTo(208);
        assertThat(usual.lora().executorBytes() / GIGA).isBetween(20.0, 40.0);
        assertThat(usual.qlora().executorBytes() / GIGA).isBetween(10.0, 20.0);
    }

    @Test
    void doubleQuantizationSavesThreeEighthsOfABitAWeight() {
        // once a tensor 256 levels and an offset are stored, which no share a weight counts
        double levels = 1e-3;
        ModelConfig config = LlamaSizes.of(13e9);
        WeightMemory weights = new WeightMemory(config, Precision.FP32);
        DecoderTensors tensors = DecoderTensors.of(config);
        long projections =
                tensors.projections().stream().mapToLong(tensors::elements).sum();

        double plain = 4 + 8.0 * weights.scales(PLAIN_SCALES) / projections;
        double nested = 4 + 8.0 * weights.scales(QuantSpec.DEFAULT) / projections;

        assertThat(plain).isCloseTo(4.5, within(levels));
        assertThat(nested).isCloseTo(4.127, within(levels));
        assertThat(plain - nested).isCloseTo(0.373, within(levels));
    }

    /**
     * The QLoRA paper (arXiv 2305.14314) gives whole gigabytes and does not say what they count. All four come out when the model is
     * counted as its authors trained it: scales before double quantisation, embeddings and head in float32 (as PEFT prepares a
     * quantised model), and adapters of rank 64 on all linear modules in float32.
     */
    @ParameterizedTest(name = "{0}B: {1} GB")
    @CsvSource({"65, 41", "33, 21", "13, 10", "7, 5"})
    void modelsIn4BitsAreAsLargeAsTheQloraPaperSays(double billions, double gigabytes) {
        double rounding = 1;
        ModelConfig config = LlamaSizes.of(billions * 1e9);
        ModelSpec spec = new ModelSpec(Method.QLORA, Precision.FP32, PLAIN_SCALES, LoraSpec.allLinear(64, 16));
        MemoryPlan plan = MemoryPlan.of(config, spec, optimizer(OptimizerKind.PAGED_ADAMW), STEP);

        long model = plan.bytes(MemoryUse.WEIGHTS)
                + plan.bytes(MemoryUse.QUANTIZATION_CONSTANTS)
                + plan.bytes(MemoryUse.ADAPTER);

        assertThat(model / GIGA).isCloseTo(gigabytes, within(rounding));
    }

    @ParameterizedTest(name = "{0} weights")
    @ValueSource(ints = {64, 4096, 4097, 64 * 256, 64 * 256 + 1, 300 * 400})
    void scalesTakeTheBytesThatTheQuantizerMakes(int weights) {
        for (QuantSpec quant : new QuantSpec[] {QuantSpec.DEFAULT, PLAIN_SCALES}) {
            try (Workers workers = new Workers(1)) {
                FourBitTensor tensor = new FourBitQuantizer(quant, workers).quantize(ramp(weights));

                assertThat(WeightMemory.scales(quant, weights))
                        .isEqualTo(tensor.scales().byteSize());
            }
        }
    }

    @ParameterizedTest
    @EnumSource(OptimizerKind.class)
    void optimizerStateIsThatOfARealOptimizer(OptimizerKind kind) {
        ModelConfig config = LlamaSizes.of(1.1e9);
        ModelSpec spec = qlora(Precision.BF16, 8);
        long[] sizes = ParameterIndex.of(config, spec).all().stream()
                .mapToLong(Parameter::size)
                .toArray();
        MemoryPlan plan = MemoryPlan.of(config, spec, optimizer(kind), STEP);

        try (Workers workers = new Workers(1);
                Optimizer real = Optimizers.create(optimizer(kind), sizes, workers)) {
            MemoryUse use = kind.paged() ? MemoryUse.OPTIMIZER_PAGED : MemoryUse.OPTIMIZER_RESIDENT;
            assertThat(plan.bytes(use)).isEqualTo(real.stateBytes());
        }
    }

    @Test
    void pagesInAFileLeaveTheMachinesMemoryButForTheWindow() {
        ModelConfig config = LlamaSizes.of(1.1e9);
        Paging paging = new Paging(PagePlace.FILE, 1 << 20);
        OptimizerSpec optimizer = optimizer(OptimizerKind.PAGED_ADAMW_8BIT);
        MemoryPlan memory = MemoryPlan.of(config, full(Precision.BF16), optimizer, STEP);
        MemoryPlan file = MemoryPlan.of(config, full(Precision.BF16), optimizer, paging, STEP);

        assertThat(file.bytes(MemoryUse.OPTIMIZER_RESIDENT)).isLessThanOrEqualTo(paging.windowBytes());
        assertThat(file.fileBytes())
                .isEqualTo(memory.bytes(MemoryUse.WEIGHTS)
                        + memory.bytes(MemoryUse.GRADIENTS)
                        + memory.bytes(MemoryUse.OPTIMIZER_PAGED));
        assertThat(file.heapBytes())
                .isEqualTo(file.bytes(MemoryUse.OPTIMIZER_RESIDENT) + file.bytes(MemoryUse.HEAP_SLACK));
        assertThat(memory.fileBytes()).isZero();
    }

    @Test
    void everyTaskOfAnExecutorHasAGradientAndAPassOfItsOwn() {
        ModelConfig config = LlamaSizes.of(7e9);
        OptimizerSpec optimizer = optimizer(OptimizerKind.PAGED_ADAMW_8BIT);
        MemoryPlan one = MemoryPlan.of(config, qlora(Precision.BF16, 16), optimizer, new BatchShape(512, 16, 1, 1, 1));
        MemoryPlan spread =
                MemoryPlan.of(config, qlora(Precision.BF16, 16), optimizer, new BatchShape(512, 16, 1, 6, 2));

        for (MemoryUse use : new MemoryUse[] {
            MemoryUse.GRADIENTS, MemoryUse.LAYER_INPUTS, MemoryUse.LAYER_RECOMPUTE, MemoryUse.WORKSPACE, MemoryUse.LOSS
        }) {
            assertThat(spread.bytes(use)).as(use.label()).isEqualTo(3 * one.bytes(use));
        }

        assertThat(spread.bytes(MemoryUse.WEIGHTS)).isEqualTo(one.bytes(MemoryUse.WEIGHTS));
        assertThat(spread.driverBytes() - one.driverBytes()).isEqualTo(5 * one.bytes(MemoryUse.GRADIENTS));
        assertThat(spread.totalBytes()).isEqualTo(2 * spread.executorBytes() + spread.driverBytes());
    }

    @Test
    void lossAndRecomputedLayerCountOnceTheLarger() {
        MemoryPlan plan = MemoryPlan.of(
                LlamaSizes.of(7e9), qlora(Precision.BF16, 16), optimizer(OptimizerKind.PAGED_ADAMW_8BIT), STEP);

        long sum = 0;
        for (MemoryUse use : MemoryUse.values()) {
            sum += plan.bytes(use);
        }

        assertThat(sum - plan.executorBytes())
                .isEqualTo(Math.min(plan.bytes(MemoryUse.LOSS), plan.bytes(MemoryUse.LAYER_RECOMPUTE)));
    }

    @Test
    void slackGrowsWithTheHeapAndWithThePass() {
        ModelConfig config = LlamaSizes.of(1.1e9);
        OptimizerSpec optimizer = optimizer(OptimizerKind.ADAMW);
        MemoryPlan small =
                MemoryPlan.of(config, qlora(Precision.BF16, 16), optimizer, new BatchShape(512, 16, 1, 1, 1));
        MemoryPlan wide = MemoryPlan.of(config, qlora(Precision.BF16, 16), optimizer, new BatchShape(512, 16, 4, 1, 1));
        MemoryPlan ranked =
                MemoryPlan.of(config, qlora(Precision.BF16, 64), optimizer, new BatchShape(512, 16, 1, 1, 1));

        assertThat(wide.bytes(MemoryUse.MALLOC_SLACK)).isGreaterThan(2 * small.bytes(MemoryUse.MALLOC_SLACK));
        assertThat(wide.bytes(MemoryUse.HEAP_SLACK)).isEqualTo(small.bytes(MemoryUse.HEAP_SLACK));
        assertThat(ranked.bytes(MemoryUse.HEAP_SLACK)).isGreaterThan(3 * small.bytes(MemoryUse.HEAP_SLACK));
    }

    @Test
    void whatIsNotRecomputedIsKeptOfEveryLayer() {
        ModelConfig config = LlamaSizes.of(1e9);
        long offload = kept(config, Recompute.OFFLOAD);
        long all = kept(config, Recompute.ALL);
        long attention = kept(config, Recompute.ATTENTION);
        long none = kept(config, Recompute.NONE);
        // queries go in blocks of 256, each against the keys up to its last
        long pairs = 256 * 256 + 256 * 512;

        assertThat(all / offload).isEqualTo((config.layers() + 2) / 3);
        assertThat(attention).isGreaterThan(2 * all);
        assertThat(none - attention).isEqualTo(Short.BYTES * config.layers() * config.heads() * pairs);
    }

    @Test
    void threadsOfATaskHaveAPassEachAsFarAsThereAreMicroBatches() {
        MemoryPlan one = ofThreads(LoraSpec.allLinear(16, 16), 1);
        MemoryPlan two = ofThreads(LoraSpec.allLinear(16, 16), 2);
        MemoryPlan eight = ofThreads(LoraSpec.allLinear(16, 16), 8);

        assertThat(two.bytes(MemoryUse.LAYER_INPUTS)).isEqualTo(2 * one.bytes(MemoryUse.LAYER_INPUTS));
        assertThat(two.bytes(MemoryUse.WORKSPACE)).isEqualTo(2 * one.bytes(MemoryUse.WORKSPACE));
        assertThat(two.bytes(MemoryUse.GRADIENTS)).isEqualTo(3 * one.bytes(MemoryUse.GRADIENTS));
        assertThat(eight.bytes(MemoryUse.GRADIENTS)).isEqualTo(4 * one.bytes(MemoryUse.GRADIENTS));
        assertThat(eight.bytes(MemoryUse.LOSS)).isEqualTo(4 * one.bytes(MemoryUse.LOSS));
    }

    @Test
    void aBoundOnTheBaseTakesTheRestOfItAndThePassesWorkspaces() {
        BatchShape step = new BatchShape(512, 8, 1, 2, 2, Recompute.ALL, 4);
        MemoryPlan all = ofThreads(LoraSpec.allLinear(16, 16), 4);
        BaseMemoryLimit base = new BaseMemoryLimit(100_000_000);

        MemoryPlan bounded = all.withBase(base, LlamaSizes.of(1e9), step);

        assertThat(bounded.baseBytes()).isEqualTo(base.bytes());
        assertThat(bounded.bytes(MemoryUse.WORKSPACE)).isEqualTo(all.bytes(MemoryUse.WORKSPACE) / 4);
        assertThat(all.executorBytes() - bounded.executorBytes())
                .isEqualTo(all.baseBytes()
                        - base.bytes()
                        + all.bytes(MemoryUse.WORKSPACE) / 4 * 3
                        + all.bytes(MemoryUse.MALLOC_SLACK)
                        - bounded.bytes(MemoryUse.MALLOC_SLACK));
        assertThat(bounded.bytes(MemoryUse.MALLOC_SLACK)).isLessThan(all.bytes(MemoryUse.MALLOC_SLACK));
        assertThat(bounded.heapBytes()).isEqualTo(all.heapBytes());
        assertThat(all.withBase(BaseMemoryLimit.ALL, LlamaSizes.of(1e9), step)).isSameAs(all);
        assertThat(all.withBase(new BaseMemoryLimit(all.baseBytes()), LlamaSizes.of(1e9), step))
                .isSameAs(all);
    }

    @Test
    void plainScalesAreInTheHeapAndNestedOnesInTheFile() {
        ModelConfig config = LlamaSizes.of(1e9);
        MemoryPlan nested = MemoryPlan.of(config, qlora(Precision.BF16, 16), optimizer(OptimizerKind.ADAMW), STEP);
        ModelSpec spec = new ModelSpec(Method.QLORA, Precision.BF16, PLAIN_SCALES, LoraSpec.allLinear(16, 16));
        MemoryPlan plain = MemoryPlan.of(config, spec, optimizer(OptimizerKind.ADAMW), STEP);

        assertThat(plain.heapBytes() - nested.heapBytes())
                .isCloseTo(plain.bytes(MemoryUse.QUANTIZATION_CONSTANTS) * 10 / 9, within(2L));
    }

    @Test
    void whereAnEmbeddingTrainsThreadsShareOnePass() {
        LoraSpec lora = LoraSpec.allLinear(16, 16).withSaved(new SavedModules(List.of(SavedModule.EMBEDDING), true));

        assertThat(ofThreads(lora, 8).executorBytes())
                .isEqualTo(ofThreads(lora, 1).executorBytes());
    }

    /** Once a process, however many pass; adapters lie beside the weights. */
    @Test
    void aDequantisedBaseTakesItsDequantisedLayers() {
        ModelConfig config = LlamaSizes.of(1e9);
        DecoderTensors tensors = DecoderTensors.of(config);
        long layers = Short.BYTES
                * tensors.projections().stream().mapToLong(tensors::elements).sum();
        BatchShape step = new BatchShape(512, 8, 1, 2, 2, Recompute.NONE, 4);
        MemoryPlan all = ofThreads(LoraSpec.allLinear(16, 16), 4);

        MemoryPlan wide = all.withBase(BaseMemoryLimit.DEQUANTIZED, config, step);

        assertThat(wide.executorBytes() - all.executorBytes()).isBetween(layers, layers * 11 / 10);
        assertThat(wide.heapBytes()).isEqualTo(all.heapBytes());
    }

    /** Four micro-batches a task. */
    private static MemoryPlan ofThreads(LoraSpec lora, int threads) {
        ModelSpec spec = new ModelSpec(Method.QLORA, Precision.BF16, QuantSpec.DEFAULT, lora);
        BatchShape step = new BatchShape(512, 8, 1, 2, 2, Recompute.ALL, threads);
        return MemoryPlan.of(LlamaSizes.of(1e9), spec, optimizer(OptimizerKind.ADAMW), step);
    }

    private static long kept(ModelConfig config, Recompute recompute) {
        BatchShape step = new BatchShape(512, 16, 1, 1, 1, recompute, 1);
        return MemoryPlan.of(config, qlora(Precision.BF16, 16), optimizer(OptimizerKind.ADAMW), step)
                .bytes(MemoryUse.LAYER_INPUTS);
    }

    @Test
    void moreShardsThanRowsAreRefused() {
        assertThatThrownBy(() -> new BatchShape(512, 4, 1, 5, 1))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("Cannot split a step of 4 rows over 5 shards: expected no more shards than rows");
    }

    @Test
    void aStepOfNothingIsRefused() {
        assertThatThrownBy(() -> new BatchShape(0, 4, 1, 1, 1))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("Cannot plan a step of 0 tokens a row: expected at least 1");
    }

    private static long wholeGigabytes(long bytes) {
        return Math.round(bytes / GIGA);
    }

    private static ModelSpec full(Precision precision) {
        return new ModelSpec(Method.FULL, precision, QuantSpec.DEFAULT, null);
    }

    private static ModelSpec qlora(Precision precision, int rank) {
        return new ModelSpec(Method.QLORA, precision, QuantSpec.DEFAULT, LoraSpec.allLinear(rank, 32));
    }

    private static OptimizerSpec optimizer(OptimizerKind kind) {
        return new OptimizerSpec(kind, 0.9, 0.999, 1e-8, 0);
    }

    private static FloatSource ramp(int length) {
        return new FloatSource() {
            @Override
            public long length() {
                return length;
            }

            @Override
            public void read(long from, float[] target, int count) {
                for (int i = 0; i < count; i++) {
                    target[i] = (int) ((from + i) % 97) - 48;
                }
            }
        };
    }
}
