package org.sparkqlora.memory;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.OptionalInt;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.sparkqlora.model.BaseMemoryLimit;
import org.sparkqlora.model.Recompute;
import org.sparkqlora.model.layout.LoraSpec;
import org.sparkqlora.model.layout.Method;
import org.sparkqlora.model.layout.ModelSpec;
import org.sparkqlora.model.layout.Precision;
import org.sparkqlora.optim.OptimizerKind;
import org.sparkqlora.optim.OptimizerSpec;
import org.sparkqlora.optim.PagePlace;
import org.sparkqlora.optim.Paging;
import org.sparkqlora.quant.QuantSpec;
import org.sparkqlora.train.BatchShape;
import org.sparkqlora.weights.family.LlamaSizes;
import org.sparkqlora.weights.family.ModelConfig;
import org.sparkqlora.weights.family.ModelConfigJson;

class GpuMemoryPlanTest {
    private static final double GIGA = 1e9;
    private static final BatchShape STEP = new BatchShape(512, 16, 1, 1, 1);
    private static final OptimizerSpec ADAMW = optimizer(OptimizerKind.PAGED_ADAMW_8BIT);

    @ParameterizedTest(name = "{0}B on {1} GB")
    @CsvSource({"65, 48", "33, 24"})
    void qloraFitsWhereThePaperTrained(double billions, double gigabytes) {
        GpuMemoryPlan plan = plan(LlamaSizes.of(billions * 1e9), qlora(16), STEP);

        assertThat(plan.cardBytes() / GIGA).isBetween(gigabytes / 2, gigabytes);
    }

    @Test
    void theBaseLiesOnTheCardAndWhatTrainsOnTheHost() {
        ModelConfig config = LlamaSizes.of(7e9);
        MemoryPlan host = MemoryPlan.of(config, qlora(64), ADAMW, STEP);
        GpuMemoryPlan card = plan(config, qlora(64), STEP);

        assertThat(card.bytes(GpuMemoryUse.WEIGHTS)).isEqualTo(host.bytes(MemoryUse.WEIGHTS));
        assertThat(card.bytes(GpuMemoryUse.QUANTIZATION_CONSTANTS))
                .isEqualTo(host.bytes(MemoryUse.QUANTIZATION_CONSTANTS));
        assertThat(card.bytes(GpuMemoryUse.BOUND_COPY)).isEqualTo(host.bytes(MemoryUse.ADAPTER) / 2);
        assertThat(card.hostBytes())
                .isEqualTo(card.bytes(GpuMemoryUse.PINNED_PAGES) + card.bytes(GpuMemoryUse.HOST_CONTEXT));
    }

    /** 262,144 rows of 35 layers of 256 numbers in bfloat16. */
    @Test
    void theEmbeddingOfEachLayerStaysOnTheHostAsItIsInItsFile() {
        ModelConfig config = ModelConfigJson.read(Path.of("src/test/resources/hub-configs/gemma-4-E2B.json"));
        long rows = 262_144L * 35 * 256 * 2;
        MemoryPlan host = MemoryPlan.of(config, qlora(16), ADAMW, STEP);

        assertThat(host.bytes(MemoryUse.WEIGHTS)).isGreaterThan(rows);
        GpuMemoryPlan card = plan(config, qlora(16), STEP);
        assertThat(card.bytes(GpuMemoryUse.WEIGHTS)).isEqualTo(host.bytes(MemoryUse.WEIGHTS) - rows);
        assertThat(card.hostBytes())
                .isEqualTo(rows + card.bytes(GpuMemoryUse.PINNED_PAGES) + card.bytes(GpuMemoryUse.HOST_CONTEXT));
    }

    /** A page has parameters, gradients and state: 4 + 4 + 2 bytes an element and a scale for each state of 256. */
    @Test
    void theWindowBoundsTwoPages() {
        ModelConfig config = LlamaSizes.of(7e9);
        Paging paging = new Paging(PagePlace.MEMORY, 8L << 20);
        GpuMemoryPlan plan = GpuMemoryPlan.of(config, qlora(64), ADAMW, paging, STEP);
        long elements = (8L << 20) / (2 * 256 * Float.BYTES * 4) * 256;

        assertThat(plan.bytes(GpuMemoryUse.OPTIMIZER_WINDOW))
                .isEqualTo(2 * (elements * 10 + elements / 256 * 2 * Float.BYTES))
                .isLessThanOrEqualTo(paging.windowBytes());
        assertThat(plan.bytes(GpuMemoryUse.PINNED_PAGES)).isEqualTo(plan.bytes(GpuMemoryUse.OPTIMIZER_WINDOW));
    }

    @Test
    void anotherRuleThanAdamWsIsTheProcessors() {
        GpuMemoryPlan plan =
                GpuMemoryPlan.of(LlamaSizes.of(1e9), qlora(16), optimizer(OptimizerKind.SGD), Paging.DEFAULT, STEP);

        assertThat(plan.bytes(GpuMemoryUse.OPTIMIZER_WINDOW)).isZero();
    }

    @Test
    void oneRowMoreThanTheLargestMicroBatchDoesNotFit() {
        ModelConfig config = LlamaSizes.of(7e9);
        long bytes = 24_000_000_000L;
        int rows = plan(config, qlora(16), STEP)
                .largestMicroBatch(config, qlora(16), STEP, bytes)
                .orElseThrow();

        assertThat(rows).isGreaterThan(1);
        assertThat(plan(config, qlora(16), rows(rows)).cardBytes()).isLessThanOrEqualTo(bytes);
        assertThat(plan(config, qlora(16), rows(rows + 1)).cardBytes()).isGreaterThan(bytes);
    }

    @Test
    void aModelThatIsTooLargeHasNoMicroBatch() {
        ModelConfig config = LlamaSizes.of(65e9);

        assertThat(plan(config, qlora(16), STEP).largestMicroBatch(config, qlora(16), STEP, 24_000_000_000L))
                .isEqualTo(OptionalInt.empty());
    }

    @Test
    void ofABaseInAWindowTwoLayersLieOnTheCardInFourBits() {
        ModelConfig config = LlamaSizes.of(65e9);
        ModelSpec lora = new ModelSpec(Method.LORA, Precision.BF16, QuantSpec.DEFAULT, LoraSpec.allLinear(16, 16));
        GpuMemoryPlan whole = plan(config, qlora(16), STEP);
        long layers = BaseMemoryLimit.division(config, qlora(16)).layers();
        long least = BaseMemoryLimit.smallest(config, qlora(16), 1);
        GpuMemoryPlan window = whole.withBase(new BaseMemoryLimit(least), config, qlora(16));
        GpuMemoryPlan wider = whole.withBase(new BaseMemoryLimit(least + 1_000_000_000), config, qlora(16));

        assertThat(whole.withBase(BaseMemoryLimit.ALL, config, qlora(16))).isEqualTo(whole);
        assertThat(whole.withBase(new BaseMemoryLimit(least + layers), config, qlora(16)))
                .isEqualTo(whole);
        assertThat(whole.cardBytes() - window.cardBytes()).isEqualTo(layers - 2 * layers / config.layers());
        assertThat(wider.cardBytes() - window.cardBytes()).isEqualTo(1_000_000_000);
        assertThat(window.largestMicroBatch(config, qlora(16), STEP, 24_000_000_000L))
                .isPresent();
        long dense = plan(config, lora, STEP).cardBytes()
                - plan(config, lora, STEP)
                        .withBase(new BaseMemoryLimit(BaseMemoryLimit.smallest(config, lora, 1)), config, lora)
                        .cardBytes();
        assertThat(dense).isEqualTo(BaseMemoryLimit.division(config, lora).layers());
    }

    @Test
    void keepingAllTakesWhatRecomputingSparesAndFusedAttentionHasNoProbabilitiesToKeep() {
        ModelConfig config = LlamaSizes.of(7e9);
        GpuMemoryPlan all = plan(config, qlora(16), recomputing(Recompute.ALL));
        GpuMemoryPlan attention = plan(config, qlora(16), recomputing(Recompute.ATTENTION));
        GpuMemoryPlan none = plan(config, qlora(16), recomputing(Recompute.NONE));

        assertThat(attention.cardBytes()).isGreaterThan(all.cardBytes());
        assertThat(attention.bytes(GpuMemoryUse.LAYER)).isLessThan(all.bytes(GpuMemoryUse.LAYER));
        assertThat(none).isEqualTo(attention);
    }

    private static GpuMemoryPlan plan(ModelConfig config, ModelSpec spec, BatchShape step) {
        return GpuMemoryPlan.of(config, spec, ADAMW, Paging.DEFAULT, step);
    }

    private static BatchShape rows(int rows) {
        return new BatchShape(512, rows, rows, 1, 1);
    }

    private static BatchShape recomputing(Recompute recompute) {
        return new BatchShape(512, 16, 1, 1, 1, recompute, 1);
    }

    private static ModelSpec qlora(int rank) {
        return new ModelSpec(Method.QLORA, Precision.BF16, QuantSpec.DEFAULT, LoraSpec.allLinear(rank, 32));
    }

    private static OptimizerSpec optimizer(OptimizerKind kind) {
        return new OptimizerSpec(kind, 0.9, 0.999, 1e-8, 0);
    }
}
