package org.sparkqlora.model.elementwise;

import java.util.List;
import java.util.function.LongFunction;
import org.bytedeco.pytorch.Tensor;
import org.sparkqlora.tensor.Hardware;
import org.sparkqlora.tensor.RowMath;
import org.sparkqlora.tensor.TensorRows;
import org.sparkqlora.tensor.TensorScope;
import org.sparkqlora.weights.family.Activation;

/** The gated activation of the feed-forward part (arXiv 2002.05202): {@code y = f(gate) up}, in float32. */
public record GatedActivation(Activation function, Hardware hardware) implements Gate {
    /** Maps gate and up, (tokens, width) each; the processor writes the result to {@code buffer}. */
    @Override
    public Tensor forward(Tensor gate, Tensor up, LongFunction<Tensor> buffer) {
        return TensorScope.keep(() -> {
            if (!hardware.isHostAccessible()) {
                return DeviceMath.gated(function, gate, up);
            }

            int width = Math.toIntExact(gate.size(1));
            Tensor output = buffer.apply(gate.size(0));
            hardware.rows().run(gate.size(0), width, range -> {
                TensorRows gates = range.of(gate);
                TensorRows ups = range.of(up);
                TensorRows outputs = range.of(output);
                float[] value = new float[width];
                float[] other = new float[width];
                for (long row = range.from(); row < range.to(); row++) {
                    gates.load(row, value);
                    apply(value, value, other, range.math());
                    ups.load(row, other);
                    range.math().multiply(value, other, value, width);
                    outputs.store(row, value);
                }
            });
            return output;
        });
    }

    /** The gradients of gate and up; the processor writes them to {@code buffer}. */
    @Override
    public List<Tensor> backward(Tensor outputGradient, Tensor gate, Tensor up, LongFunction<List<Tensor>> buffer) {
        if (!hardware.isHostAccessible()) {
            return TensorScope.keepAll(
                    () -> DeviceMath.throughGated(function, outputGradient, gate, up), gradients -> gradients);
        }

        int width = Math.toIntExact(gate.size(1));
        List<Tensor> gradients = buffer.apply(gate.size(0));
        hardware.rows().run(gate.size(0), width, range -> {
            TensorRows gates = range.of(gate);
            TensorRows ups = range.of(up);
            TensorRows dOutputs = range.of(outputGradient);
            TensorRows dGates = range.of(gradients.get(0));
            TensorRows dUps = range.of(gradients.get(1));
            float[] value = new float[width];
            float[] slope = new float[width];
            float[] dOutput = new float[width];
            float[] other = new float[width];
            for (long row = range.from(); row < range.to(); row++) {
                gates.load(row, value);
                ups.load(row, other);
                dOutputs.load(row, dOutput);
                apply(value, value, slope, range.math());
                range.math().multiply(value, dOutput, value, width);
                dUps.store(row, value);
                range.math().multiply(other, dOutput, other, width);
                range.math().multiply(other, slope, other, width);
                dGates.store(row, other);
            }
        });
        return gradients;
    }

    private void apply(float[] x, float[] value, float[] slope, RowMath math) {
        switch (function) {
            case SILU -> math.silu(x, value, slope, x.length);
            case GELU_TANH -> math.geluTanh(x, value, slope, x.length);
        }
    }
}
