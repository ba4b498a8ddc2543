package org.sparkqlora.model;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.OptionalDouble;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.LongOptional;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.sparkqlora.model.layout.Parameter;
import org.sparkqlora.model.layout.ParameterIndex;
import org.sparkqlora.model.layout.Precision;
import org.sparkqlora.model.loss.TokenMeasures;
import org.sparkqlora.quant.Workers;
import org.sparkqlora.tensor.FlatVector;
import org.sparkqlora.tensor.Hardware;
import org.sparkqlora.tensor.Natives;
import org.sparkqlora.tensor.TensorMemory;

/** A vocabulary of several panels and predictors of several chunks, beside the formula over whole float64 tensors. */
class OutputHeadTest {
    /** Of the largest number: in bfloat16 logits, their gradients and each panel's part are rounded, to 8 bits each. */
    private static final double BF16_TOLERANCE = 0.02;

    private static final double FP32_TOLERANCE = 2e-5;

    private static final int HIDDEN = 32;
    private static final int PREDICTORS = 45;

    private PointerScope scope;
    private Workers workers;

    @BeforeEach
    void open() {
        Natives.load();
        scope = new PointerScope();
        workers = new Workers(2);
        torch.manual_seed(4);
    }

    @AfterEach
    void close() {
        workers.close();
        scope.close();
    }

    @ParameterizedTest
    @CsvSource({
        "FP32, 4096, 0",
        "FP32, 4097, 0",
        "FP32, 9000, 0",
        "FP32, 9000, 5",
        "FP32, 300000, 0",
        "BF16, 9000, 0",
        "BF16, 9000, 5",
        "BF16, 700000, 0"
    })
    void lossesAndGradientsEqualTheFormula(Precision precision, int vocabulary, double cap) {
        ScalarType type = precision.type();
        Tensor weight = torch.randn(vocabulary, HIDDEN).mul(new Scalar(0.4)).to(type);
        Tensor hidden = torch.randn(PREDICTORS, HIDDEN).to(type);
        int[] targets = new int[PREDICTORS];
        for (int i = 0; i < PREDICTORS; i++) {
            targets[i] = (int) ((i * 7919L + 1) % vocabulary);
        }

        targets[0] = vocabulary - 1;
        targets[1] = Math.toIntExact(
                torch.linear(hidden.narrow(0, 1, 1), weight).argmax().item_long());
        ParameterIndex.Builder builder = ParameterIndex.builder();
        Parameter place = builder.add("lm_head.weight", vocabulary, HIDDEN);
        FlatVector gradients = FlatVector.zeros(builder.build().size());
        OutputHead head = new OutputHead(
                weight,
                place,
                1.25,
                cap == 0 ? OptionalDouble.empty() : OptionalDouble.of(cap),
                Hardware.processor(workers),
                part -> {});
        Tensor dHidden = torch.empty_like(hidden);

        float[] losses = head.lossesAndGradient(hidden, targets, null, dHidden, new GradientAccumulator(gradients));

        Formula formula = new Formula(weight.to(ScalarType.Double), hidden.to(ScalarType.Double), targets, 1.25, cap);
        double tolerance = precision == Precision.FP32 ? FP32_TOLERANCE : BF16_TOLERANCE;
        assertClose(TensorMemory.floats(losses, PREDICTORS), formula.losses, tolerance);
        assertClose(dHidden, formula.dHidden, tolerance);
        float[] dWeight = new float[vocabulary * HIDDEN];
        gradients.read(0, dWeight, 0, dWeight.length);
        assertClose(TensorMemory.floats(dWeight, vocabulary, HIDDEN), formula.dWeight, tolerance);
        TokenMeasures measures = TokenMeasures.ofTokens(PREDICTORS);
        assertThat(head.losses(hidden, targets, measures)).isEqualTo(losses);
        assertClose(TensorMemory.floats(measures.entropies(), PREDICTORS), formula.entropies, tolerance);
        assertClose(TensorMemory.floats(measures.meanLogits(), PREDICTORS), formula.meanLogits, tolerance);
        float[] best = new float[PREDICTORS];
        TensorMemory.read(formula.best, best, PREDICTORS);
        assertThat(measures.best()).containsExactly(best).contains(1);
    }

    @ParameterizedTest
    @CsvSource({"49152, 512", "151936, 160", "248320, 96", "10000000, 32"})
    void aChunkNeedsNoPadding(long vocabulary, long predictors) {
        assertThat(OutputHead.chunk(vocabulary * 2)).isEqualTo(predictors);
    }

    private static void assertClose(Tensor found, Tensor expected, double tolerance) {
        Tensor difference = found.to(ScalarType.Double).sub(expected).abs().max();
        assertThat(difference.item_double())
                .isLessThan(tolerance * expected.abs().max().item_double());
    }

    /** The losses and gradients of all at once. */
    private static final class Formula {
        private final Tensor losses;
        private final Tensor dHidden;
        private final Tensor dWeight;
        private final Tensor entropies;
        private final Tensor meanLogits;
        private final Tensor best;

        Formula(Tensor weight, Tensor hidden, int[] targets, double multiplier, double cap) {
            Tensor products = torch.linear(hidden, weight).mul(new Scalar(multiplier));
            Tensor logits =
                    cap == 0 ? products : products.div(new Scalar(cap)).tanh().mul(new Scalar(cap));
            long[] wanted = new long[targets.length];
            for (int i = 0; i < wanted.length; i++) {
                wanted[i] = targets[i];
            }

            Tensor target = TensorMemory.longs(wanted).unsqueeze(1);
            losses = logits.logsumexp(1).sub(logits.gather(1, target).squeeze(1));
            Tensor gradient = torch.softmax(logits, 1);
            entropies = gradient.mul(torch.log_softmax(logits, 1)).sum(1).neg();
            meanLogits = logits.mean(1);
            best = logits.argmax(new LongOptional(1), true).eq(target).to(ScalarType.Float);
            gradient.scatter_add_(
                    1, target, torch.full_like(losses, new Scalar(-1.0)).unsqueeze(1));
            if (cap != 0) {
                gradient.mul_(logits.div(new Scalar(cap)).square().neg().add(new Scalar(1.0)));
            }

            gradient.mul_(new Scalar(multiplier));
            dHidden = torch.mm(gradient, weight);
            dWeight = torch.mm(gradient.t(), hidden);
        }
    }
}
