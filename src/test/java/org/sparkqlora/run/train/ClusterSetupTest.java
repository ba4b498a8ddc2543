package org.sparkqlora.run.train;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.sparkqlora.model.BaseMemoryLimit;
import org.sparkqlora.model.Recompute;
import org.sparkqlora.model.layout.LoraSpec;
import org.sparkqlora.model.layout.Method;
import org.sparkqlora.model.layout.ModelSpec;
import org.sparkqlora.model.layout.ParameterIndex;
import org.sparkqlora.model.layout.Precision;
import org.sparkqlora.optim.PagePlace;
import org.sparkqlora.optim.Paging;
import org.sparkqlora.options.Console;
import org.sparkqlora.options.Sessions;
import org.sparkqlora.options.TrainOptions;
import org.sparkqlora.quant.QuantSpec;
import org.sparkqlora.run.output.PlanFile;
import org.sparkqlora.spark.cluster.Location;
import org.sparkqlora.spark.exchange.ExchangeChoice;
import org.sparkqlora.spark.exchange.ExchangeKind;
import org.sparkqlora.spark.exchange.GradientSize;
import org.sparkqlora.train.GradientDtype;
import org.sparkqlora.weights.family.LlamaSizes;
import org.sparkqlora.weights.family.ModelConfig;

class ClusterSetupTest {
    private final ClusterSetup setup =
            new ClusterSetup(Sessions.context("train"), new TrainOptions(), Console.ofProcess());

    @AfterAll
    static void stop() {
        Sessions.stop();
    }

    @Test
    void pagesGoToAFileForTheSakeOfCollectedGradientsAlone() {
        ParameterIndex index = ParameterIndex.of(
                LlamaSizes.of(0.5e9),
                new ModelSpec(Method.QLORA, Precision.BF16, QuantSpec.DEFAULT, LoraSpec.allLinear(4, 8)));
        GradientSize size = new GradientSize(index.size(), 1000, GradientDtype.FP32);

        assertThat(setup.paging(index, choice(ExchangeKind.COLLECT, size)).place())
                .isEqualTo(PagePlace.FILE);
        assertThat(setup.paging(index, choice(ExchangeKind.SHUFFLE, size)).place())
                .isEqualTo(PagePlace.MEMORY);
    }

    @Test
    void aMicroBatchIsHalvedWhereAnExecutorHasNoMemoryForIt(@TempDir Path output) {
        PlanFile none = new PlanFile(Location.parse(output.toString()));

        assertThat(rows(0.5e9, none)).isEqualTo(new ClusterSetup.MicroRows(256, 4));
        assertThat(rows(500e9, none)).isEqualTo(new ClusterSetup.MicroRows(256, 1));
    }

    @Test
    void layersAreKeptDequantisedWhereNothingIsRecomputedAndThereIsRoom() {
        ModelSpec spec = new ModelSpec(Method.QLORA, Precision.BF16, QuantSpec.DEFAULT, LoraSpec.allLinear(4, 8));

        assertThat(setup.dequantized(BaseMemoryLimit.ALL, spec, Recompute.NONE, () -> 1))
                .isEqualTo(BaseMemoryLimit.DEQUANTIZED);
        assertThat(setup.dequantized(BaseMemoryLimit.ALL, spec, Recompute.NONE, () -> Long.MAX_VALUE))
                .isEqualTo(BaseMemoryLimit.ALL);
        assertThat(setup.dequantized(BaseMemoryLimit.ALL, spec, Recompute.ALL, () -> 1))
                .isEqualTo(BaseMemoryLimit.ALL);
        ModelSpec lora = new ModelSpec(Method.LORA, Precision.BF16, QuantSpec.DEFAULT, LoraSpec.allLinear(4, 8));
        assertThat(setup.dequantized(BaseMemoryLimit.ALL, lora, Recompute.NONE, () -> 1))
                .isEqualTo(BaseMemoryLimit.ALL);
    }

    private ClusterSetup.MicroRows rows(double parameters, PlanFile begun) {
        ModelSpec spec = new ModelSpec(Method.QLORA, Precision.BF16, QuantSpec.DEFAULT, LoraSpec.allLinear(4, 8));
        ModelConfig config = LlamaSizes.of(parameters);
        GradientSize size = new GradientSize(ParameterIndex.of(config, spec).size(), 2, GradientDtype.FP32);
        return setup.microRows(config, spec, Paging.DEFAULT, choice(ExchangeKind.SHUFFLE, size), begun, 256);
    }

    private static ExchangeChoice choice(ExchangeKind kind, GradientSize size) {
        return new ExchangeChoice(kind, size, Long.MAX_VALUE, "as asked for");
    }
}
