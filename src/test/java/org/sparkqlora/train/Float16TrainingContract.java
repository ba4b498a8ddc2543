package org.sparkqlora.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.ByteArrayInputStream;
import java.io.DataInputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.sparkqlora.model.GoldenModel;
import org.sparkqlora.model.GoldenModel.Mode;
import org.sparkqlora.model.layout.ModelSpec;
import org.sparkqlora.model.layout.Precision;
import org.sparkqlora.optim.OptimizerKind;
import org.sparkqlora.optim.OptimizerSpec;
import org.sparkqlora.train.metrics.StepMetrics;

/** QLoRA in fp16 with a scale of the loss, beside the losses that torch recorded in float32. */
abstract class Float16TrainingContract {
    private static final int RECORDED = 5;

    /** Steps that the first scale, 2^16, may cost. */
    private static final int HALVINGS = 16;

    /** Of a mean loss near 5: fp16 has 11 bits, rounded at each of some twenty operations. */
    private static final double ROUNDING = 5e-3;

    /** Overflows whatever the gradient: that of a logit is at least a share of 1 / tokens. */
    private static final float TOO_LARGE = 0x1p30f;

    /** The offset of the scale in the bytes of a State: behind mark, format, version and seed. */
    private static final int SCALE_AT = 2 * Integer.BYTES + 2 * Long.BYTES;

    private final GoldenModel golden = new GoldenModel("llama-tied");

    @TempDir
    private Path cache;

    abstract TrainingDevice device();

    @Test
    void stepsHaveTheLossesOfFloat32ButForRounding() {
        GoldenRun.Outcome outcome = run(RECORDED + HALVINGS).run();
        List<Double> losses = outcome.steps().stream()
                .filter(step -> step.gradientNorm().isPresent())
                .map(StepMetrics::loss)
                .toList();

        JsonNode recorded = golden.expectedNumbers(Mode.QLORA).get("losses");
        assertThat(losses).hasSizeGreaterThanOrEqualTo(RECORDED);
        for (int step = 0; step < RECORDED; step++) {
            assertThat(losses.get(step)).isCloseTo(recorded.get(step).asDouble(), within(ROUNDING));
        }
    }

    @Test
    void aScaleThatOverflowsIsHalvedUntilItFitsAndNothingElseMovesMeanwhile() {
        GoldenRun run = run(40);
        GoldenRun.Outcome outcome = run.run((state, home) -> scaled(state, run.plan(), home));
        List<StepMetrics> leftOut = outcome.steps().stream()
                .takeWhile(step -> step.gradientNorm().isEmpty())
                .toList();

        assertThat(leftOut).hasSizeBetween(1, 30);
        assertThat(outcome.lossScale()).hasValue(TOO_LARGE / Math.pow(2, leftOut.size()));
        double first = outcome.losses().get(0);
        assertThat(leftOut).allMatch(step -> step.loss() == first);
        assertThat(outcome.losses().subList(leftOut.size() + 1, 40)).allMatch(loss -> loss < first);
    }

    private GoldenRun run(int steps) {
        ModelSpec plain = golden.spec(Mode.QLORA);
        ModelSpec halves = new ModelSpec(plain.method(), Precision.FP16, plain.quant(), plain.lora());
        OptimizerSpec optimizer = new OptimizerSpec(OptimizerKind.ADAMW, 0.9, 0.999, 1e-8, 0.01);
        return new GoldenRun(
                golden, Mode.QLORA, GoldenRun.plan(golden, halves, optimizer, 1e-3, steps), device(), cache);
    }

    private static TrainState scaled(TrainState state, TrainPlan plan, StateHome home) {
        byte[] bytes = TrainFixture.bytes(state);
        ByteBuffer.wrap(bytes).putFloat(SCALE_AT, TOO_LARGE);
        try {
            return TrainState.read(new DataInputStream(new ByteArrayInputStream(bytes)), plan.optimizer(), home);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
