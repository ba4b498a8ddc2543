package org.sparkqlora.spark.check;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.apache.spark.SparkConf;
import org.junit.jupiter.api.Test;
import org.sparkqlora.memory.MemoryPlan;
import org.sparkqlora.model.layout.LoraSpec;
import org.sparkqlora.model.layout.Method;
import org.sparkqlora.model.layout.ModelSpec;
import org.sparkqlora.model.layout.ParameterIndex;
import org.sparkqlora.model.layout.Precision;
import org.sparkqlora.optim.OptimizerKind;
import org.sparkqlora.optim.OptimizerSpec;
import org.sparkqlora.quant.QuantSpec;
import org.sparkqlora.spark.cluster.ClusterSettings;
import org.sparkqlora.spark.cluster.ProcessFacts;
import org.sparkqlora.spark.exchange.ExchangeKind;
import org.sparkqlora.spark.exchange.GradientSize;
import org.sparkqlora.train.BatchShape;
import org.sparkqlora.train.GradientDtype;
import org.sparkqlora.weights.family.ModelConfig;
import org.sparkqlora.weights.family.ModelConfigJson;

class DriverGradientsTest {
    private static final long MEBI = 1 << 20;
    private static final long GIB = 1024 * MEBI;
    private static final int SHARDS = 1000;

    private static final ModelConfig OF_135M = ModelConfigJson.parse("config.json", """
            {"model_type": "llama", "vocab_size": 49152, "hidden_size": 576, "intermediate_size": 1536,
             "num_hidden_layers": 30, "num_attention_heads": 9, "num_key_value_heads": 3, "rms_norm_eps": 1e-5,
             "max_position_embeddings": 8192, "rope_theta": 100000.0, "tie_word_embeddings": true,
             "hidden_act": "silu", "torch_dtype": "bfloat16"}
            """);

    @Test
    void collectedVectorsAndTheirSumLieOnTheDriver() {
        assertThat(DriverGradients.bytes(ExchangeKind.COLLECT, size(1_000_000, 8), 1))
                .isEqualTo(9 * 4_000_000);
        assertThat(DriverGradients.bytes(ExchangeKind.DRIVER, size(1_000_000, 8), 1))
                .isEqualTo(8 * 4_000_000);
    }

    @Test
    void aShuffleSendsTheDriverFactsWhateverTheSizeOfTheModel() {
        long small = DriverGradients.bytes(ExchangeKind.SHUFFLE, size(1_000_000, SHARDS), 1);

        assertThat(small).isEqualTo(16 * MEBI + SHARDS * 2048L);
        assertThat(DriverGradients.bytes(ExchangeKind.SHUFFLE, size(200_000_000, SHARDS), 1))
                .isEqualTo(small);
        assertThat(DriverGradients.bytes(ExchangeKind.AUTO, size(200_000_000, SHARDS), 1))
                .isEqualTo(small);
    }

    @Test
    void afterLocalStepsTheSumOfStatesComesToTheDriver() {
        assertThat(DriverGradients.bytes(ExchangeKind.SHUFFLE, size(3_000_001, 8), 4))
                .isEqualTo(4 * 3_000_001 + 16 * MEBI + 8 * 2048);
    }

    @Test
    void bigDlsDriverTakesTheSum() {
        assertThat(DriverGradients.bytes(ExchangeKind.BIGDL, size(1_000_000, 8), 1))
                .isEqualTo(4_000_000 + 16 * MEBI + 8 * 2048);
    }

    @Test
    void aThousandShardsOf135MNeedADriverOf1GbByAShuffleAnd19ByCollecting() {
        MemoryPlan plan = plan();
        long parameters = ParameterIndex.of(OF_135M, plan.spec()).size();
        GradientSize size = size(parameters, SHARDS);
        MemoryPlan shuffled = plan.withDriverGradients(DriverGradients.bytes(ExchangeKind.SHUFFLE, size, 1));
        MemoryPlan collected = plan.withDriverGradients(DriverGradients.bytes(ExchangeKind.COLLECT, size, 1));

        assertThat(problems(shuffled)).isEmpty();
        assertThat(shuffled.driverBytes()).isLessThan(64 * MEBI);
        assertThat(collected.driverBytes() - shuffled.driver().stateBytes())
                .isEqualTo(Float.BYTES * parameters * (SHARDS + 1));
        assertThat(problems(collected))
                .containsExactly(
                        "driver: Cannot hold %d MiB in a heap of 1024 MiB. Raise spark.driver.memory, or take --exchange shuffle."
                                .formatted((collected.driverBytes() + MEBI - 1) / MEBI));
    }

    @Test
    void aDriverWhoseExecutorsHaveTheStateHasTheWeightsThatItPublishes() {
        MemoryPlan.DriverMemory whole = plan().driver();
        MemoryPlan.DriverMemory driver = plan().withoutDriverOptimizer().driver();

        assertThat(whole.optimizerBytes()).isPositive();
        assertThat(driver).isEqualTo(new MemoryPlan.DriverMemory(whole.weightBytes(), 0, whole.gradientBytes()));
        assertThat(driver.stateBytes())
                .isEqualTo(
                        Float.BYTES * ParameterIndex.of(OF_135M, plan().spec()).size());
    }

    private static List<String> problems(MemoryPlan plan) {
        ProcessFacts driver = new ProcessFacts(
                "driver", 17, GIB, 16 * GIB, "/scratch", 100 * GIB, true, true, 0, List.of(), "avx2", List.of());
        return new ProcessCheck(plan, new ClusterSettings(new SparkConf(false).setMaster("spark://host:7077")))
                .problems(driver, List.of());
    }

    private static MemoryPlan plan() {
        ModelSpec spec = new ModelSpec(Method.QLORA, Precision.BF16, QuantSpec.DEFAULT, LoraSpec.allLinear(16, 32));
        OptimizerSpec optimizer = new OptimizerSpec(OptimizerKind.PAGED_ADAMW_8BIT, 0.9, 0.999, 1e-8, 0);
        return MemoryPlan.of(OF_135M, spec, optimizer, new BatchShape(512, SHARDS, 1, SHARDS, SHARDS));
    }

    private static GradientSize size(long parameters, int shards) {
        return new GradientSize(parameters, shards, GradientDtype.FP32);
    }
}
