package org.sparkqlora.options;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.sparkqlora.memory.MemoryPlan;
import org.sparkqlora.memory.MemoryUse;
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

class ZeroStageTest {
    private static final double PARAMETERS = 1e9;

    /** Of the size of a Llama with about so many parameters. */
    private static final double ABOUT = 0.1;

    @ParameterizedTest(name = "{0} of {1} by {2} on {3}")
    @CsvSource({
        "auto, FULL, ADAMW, 5, false",
        "auto, FULL, ADAMW, 6, true",
        "auto, FULL, PAGED_ADAMW_8BIT, 10, false",
        "auto, FULL, PAGED_ADAMW_8BIT, 11, true",
        "auto, FULL, SGD, 1000, false",
        "auto, QLORA, ADAMW, 64, false",
        "0, FULL, ADAMW, 64, false",
        "1, QLORA, ADAMW, 2, true"
    })
    void autoShardsTheOptimizerOfAllWeightsWhereThatTakesLess(
            String stage, Method method, OptimizerKind kind, int executors, boolean isSharded) {
        assertThat(ZeroStage.parse(stage)
                        .of(plan(method, kind, Paging.DEFAULT, executors))
                        .shardsOptimizer())
                .isEqualTo(isSharded);
    }

    /** Two owners of each part, of 12 bytes a parameter, and the next State in the making. */
    @Test
    void anExecutorHasTwoOfSoManyPartsTwice() {
        MemoryPlan whole = plan(Method.FULL, OptimizerKind.ADAMW, Paging.DEFAULT, 16);
        MemoryPlan sharded = whole.withShardedOptimizer();

        assertThat(sharded.bytes(MemoryUse.SHARDED_STATE) / PARAMETERS).isCloseTo(4 * 12 / 16.0, within(ABOUT * 3));
        assertThat(sharded.bytes(MemoryUse.OPTIMIZER_RESIDENT)).isZero();
        assertThat(whole.heapBytes() - sharded.heapBytes())
                .isGreaterThanOrEqualTo(whole.bytes(MemoryUse.OPTIMIZER_RESIDENT));
    }

    @Test
    void partsLieInFilesWherePagesDo() {
        Paging inFile = new Paging(PagePlace.FILE, Paging.SMALLEST_WINDOW);
        MemoryPlan whole = plan(Method.FULL, OptimizerKind.PAGED_ADAMW_8BIT, inFile, 32);
        MemoryPlan sharded = ZeroStage.AUTO.of(whole);

        assertThat(sharded.shardsOptimizer()).isTrue();
        assertThat(sharded.executorBytes()).isEqualTo(whole.executorBytes());
        assertThat(sharded.fileBytes()).isLessThan(whole.fileBytes());
    }

    @ParameterizedTest(name = "{0}")
    @CsvSource({
        "exchange, collect, '--zero-stage 1: expected --exchange auto or shuffle with it, found collect'",
        "localSteps, 2, '--zero-stage 1: expected --local-steps 1 with it, found 2'",
        "optimizer, sgd, '--zero-stage 1: expected an --optimizer that keeps state, found sgd'"
    })
    void theOptimizerIsShardedByThoseThatHoldTheState(String option, String value, String problem) {
        assertThatThrownBy(() -> TrainOptions.of(Map.of(
                        "model", "/none", "data", "none.jsonl", "output", "/out", "zeroStage", "1", option, value)))
                .hasMessageContaining(problem);
    }

    @Test
    void anyOtherStageIsRefused() {
        assertThatThrownBy(() -> ZeroStage.parse("3")).hasMessage("Unsupported stage '3': expected one of auto, 0, 1");
    }

    private static MemoryPlan plan(Method method, OptimizerKind kind, Paging paging, int executors) {
        LoraSpec lora = method == Method.FULL ? null : LoraSpec.allLinear(16, 32);
        return MemoryPlan.of(
                LlamaSizes.of(PARAMETERS),
                new ModelSpec(method, Precision.BF16, QuantSpec.DEFAULT, lora),
                new OptimizerSpec(kind, 0.9, 0.999, 1e-8, 0),
                paging,
                new BatchShape(512, executors, 1, executors, executors));
    }
}
